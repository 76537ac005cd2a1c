// The staff's pages: what is typed survives a time-out, an idle sign-in is warned of, new work is heard.
(() => {
  'use strict';
  const body = document.body;
  const WARN_BEFORE = 120; // seconds
  const ASK_AFTER_MS = 60000;

  // --- what is typed is kept until it was sent ---
  const KEPT = 'salter-form-';
  const SENT = '-sent';
  const SENT_MS = 60000; // as long as the page that follows may take
  const isDone = document.querySelector('.note.done, [data-done]') !== null;
  for (const mark of Object.keys(sessionStorage).filter((one) => one.startsWith(KEPT) && one.endsWith(SENT))) {
    const isFresh = Date.now() - Number(sessionStorage.getItem(mark)) < SENT_MS;
    if (isDone && isFresh) sessionStorage.removeItem(mark.slice(0, -SENT.length));
    sessionStorage.removeItem(mark);
  }
  for (const form of document.querySelectorAll('form[data-keep]')) {
    const key = KEPT + form.dataset.keep;
    const kept = JSON.parse(sessionStorage.getItem(key) || '{}');
    for (const field of form.querySelectorAll('textarea, input:not([type=hidden]), select')) {
      if (kept[field.name] && !field.value) field.value = kept[field.name];
      field.addEventListener('input', () => {
        kept[field.name] = field.value;
        sessionStorage.setItem(key, JSON.stringify(kept));
      });
    }
    form.addEventListener('submit', () => sessionStorage.setItem(key + SENT, String(Date.now())));
  }

  // --- the sign-in ends when nobody is there: its end is the server's, told with the page and with every `stay` ---
  const veil = document.getElementById('still-there');
  const others = new BroadcastChannel('salter-stay');
  let until = Date.now() + Number(body.dataset.left || 0) * 1000;
  let asked = Date.now();
  let acted = false;
  const out = () => {
    const here = location.pathname.split('/console/')[1] || '';
    location.assign(body.dataset.out + '&to=' + encodeURIComponent('console/' + here + location.search));
  };
  const stay = async () => {
    acted = false;
    asked = Date.now();
    const answer = await fetch(body.dataset.stay, { redirect: 'manual' }).catch(() => null);
    if (!answer) return;
    if (!answer.ok) { out(); return; }
    until = Date.now() + Number(await answer.text()) * 1000;
    others.postMessage(until);
    look();
  };
  const look = () => {
    const left = (until - Date.now()) / 1000;
    if (left <= 0) out();
    else if (left <= WARN_BEFORE) { if (!veil.open) veil.showModal(); }
    else {
      if (veil.open) veil.close();
      if (acted && Date.now() - asked > ASK_AFTER_MS) stay();
    }
  };
  if (veil) {
    for (const event of ['keydown', 'pointerdown', 'scroll']) addEventListener(event, () => { acted = true; }, { passive: true });
    others.onmessage = (event) => { until = Math.max(until, event.data); look(); };
    veil.addEventListener('cancel', (event) => { event.preventDefault(); stay(); });
    veil.querySelector('[data-stays]').addEventListener('click', stay);
    document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
    setInterval(look, 5000);
  }

  // --- what arrives while something is pressed waits: it might move the button away from under the hand ---
  let pressed = false;
  const held = [];
  const release = () => setTimeout(() => { // after the click
    pressed = false;
    for (const { target, serverResponse, swapStyle } of held.splice(0)) {
      if (target.isConnected) htmx.swap(target, serverResponse, { swapStyle });
    }
  });
  addEventListener('pointerdown', () => { pressed = true; }, { capture: true, passive: true });
  for (const event of ['pointerup', 'pointercancel']) addEventListener(event, release, { capture: true, passive: true });
  body.addEventListener('htmx:beforeSwap', ({ detail }) => {
    if (!pressed || !detail.shouldSwap) return;
    detail.shouldSwap = false;
    const { target, serverResponse, requestConfig: { elt } } = detail;
    const swapStyle = (elt.closest('[hx-swap]')?.getAttribute('hx-swap') || 'innerHTML').split(' ')[0];
    held.push({ target, serverResponse, swapStyle });
  });

  // --- new work: a mark in the title; a page nobody looks at asks nothing, one where nothing happens asks seldom ---
  const title = document.title;
  const CALM_AFTER = 30; // unchanged answers
  const CALM_EACH = 5; // then only every fifth question is asked
  let unchanged = 0;
  for (const event of ['keydown', 'pointerdown']) addEventListener(event, () => { unchanged = 0; }, { passive: true });
  body.addEventListener('htmx:beforeRequest', (event) => {
    if (!event.detail.elt.matches('[data-calm]')) return;
    unchanged += 1;
    if (document.hidden || (unchanged > CALM_AFTER && unchanged % CALM_EACH)) event.preventDefault();
  });
  // What lies apart comes after the most urgent: a shelf that had nothing so far is shown with its first row.
  body.addEventListener('htmx:oobAfterSwap', (event) => {
    const shelf = event.detail.target.closest('.shelf');
    if (shelf) shelf.hidden = false;
  });
  body.addEventListener('htmx:afterSwap', () => {
    unchanged = 0;
    if (!document.querySelector('[data-news]')) return;
    document.title = '● ' + title;
  });
})();
