// The staff's pages: what is typed survives a time-out, an idle sign-in is warned of, new work is heard.
(() => {
  'use strict';
  const body = document.body;
  const WARN_BEFORE = 120;

  // --- what is typed is kept until it was sent ---
  for (const form of document.querySelectorAll('form[data-keep]')) {
    const key = 'salter-form-' + form.dataset.keep;
    const kept = JSON.parse(sessionStorage.getItem(key) || '{}');
    for (const field of form.querySelectorAll('textarea, input:not([type=hidden]), select')) {
      if (kept[field.name] && !field.value) field.value = kept[field.name];
      field.addEventListener('input', () => {
        kept[field.name] = field.value;
        sessionStorage.setItem(key, JSON.stringify(kept));
      });
    }
    form.addEventListener('submit', () => sessionStorage.setItem(key + '-sent', '1'));
    if (sessionStorage.getItem(key + '-sent') && document.querySelector('.note.done')) sessionStorage.removeItem(key);
    sessionStorage.removeItem(key + '-sent');
  }

  // --- the sign-in ends when nobody is there ---
  let seen = Date.now();
  let touched = Date.now();
  const idle = Number(body.dataset.idle || 0);
  const alive = () => { seen = Date.now(); };
  for (const event of ['keydown', 'pointerdown', 'scroll']) addEventListener(event, alive, { passive: true });
  if (idle) {
    setInterval(() => {
      const away = (Date.now() - seen) / 1000;
      if (away < WARN_BEFORE && Date.now() - touched > 300000) { touched = Date.now(); fetch(body.dataset.stay); }
      const veil = document.getElementById('still-there');
      if (away > idle) location.assign(body.dataset.out);
      else if (veil) veil.hidden = away < idle - WARN_BEFORE;
    }, 5000);
  }

  // --- new work: a mark in the title; a page nobody looks at asks nothing ---
  const title = document.title;
  body.addEventListener('htmx:beforeRequest', (event) => {
    if (document.hidden && event.detail.elt.id === 'news') event.preventDefault();
  });
  body.addEventListener('htmx:afterSwap', () => {
    if (!document.querySelector('[data-news]')) return;
    document.title = '● ' + title;
  });
})();
