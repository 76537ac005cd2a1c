// Chats on the line: whoever waits is seen in the title and heard, ready replies go into the answer, nothing asks unseen.
(() => {
  'use strict';
  const body = document.body;
  const QUIET = 'salter-quiet';
  const NEAR_END = 120; // pixels
  const title = document.title;
  const heading = document.querySelector('[data-lead]');
  const status = document.getElementById('live-status');
  const waiting = () => Number(document.getElementById('queue').dataset.waiting);
  let known = waiting();

  // --- sound: only after somebody touched the page, and only while it is wanted ---
  const toggle = document.querySelector('[data-sound]');
  const wanted = () => localStorage.getItem(QUIET) !== '1';
  let audio = null;
  const ready = () => { audio = audio || new AudioContext(); };
  for (const event of ['pointerdown', 'keydown']) addEventListener(event, ready, { once: true, passive: true });
  const beep = () => {
    if (!audio || !wanted()) return;
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    tone.frequency.value = 660;
    loud.gain.setValueAtTime(0.15, audio.currentTime);
    loud.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.3);
    tone.connect(loud).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.3);
  };
  const drawToggle = () => {
    toggle.setAttribute('aria-pressed', String(wanted()));
    toggle.querySelector('[data-on]').hidden = !wanted();
    toggle.querySelector('[data-off]').hidden = wanted();
  };
  toggle.addEventListener('click', () => { localStorage.setItem(QUIET, wanted() ? '1' : '0'); drawToggle(); beep(); });
  toggle.hidden = false;
  drawToggle();

  // --- who waits ---
  const draw = () => {
    const now = waiting();
    const lead = document.getElementById('queue').dataset.lead;
    document.title = now ? `(${now}) ${title}` : title;
    heading.textContent = lead;
    if (now > known) { beep(); status.textContent = lead; }
    known = now;
  };
  draw();

  // --- the thread stays at its end unless somebody reads further up ---
  const thread = document.getElementById('thread');
  const toEnd = () => { if (thread) thread.scrollTop = thread.scrollHeight; };
  let atEnd = true;
  toEnd();
  body.addEventListener('htmx:beforeSwap', () => {
    if (thread) atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < NEAR_END;
  });
  // Two questions at once (the two seconds, and right after an answer) bring the same words: they are taken once.
  body.addEventListener('htmx:beforeSwap', (event) => {
    const asked = event.detail.requestConfig.path.match(/[?&]after=(\d+)/);
    const poll = document.getElementById('poll');
    if (!asked || !poll) return;
    if (!poll.getAttribute('hx-get').endsWith(`after=${asked[1]}`)) event.detail.shouldSwap = false;
  });
  body.addEventListener('htmx:afterSettle', (event) => {
    if (event.detail.target && event.detail.target.id === 'queue') draw();
    else if (atEnd) toEnd();
  });

  // --- a page nobody looks at asks nothing for its thread; the queue is asked for seldom, so that it is heard ---
  body.addEventListener('htmx:beforeRequest', (event) => {
    if (document.hidden && event.detail.elt.id === 'poll') event.preventDefault();
  });

  // --- the answer: ready replies, Ctrl + Enter, kept until it was sent ---
  const area = () => document.getElementById('answer');
  const reply = thread && document.querySelector('form[data-keep]');
  const key = reply ? 'salter-form-' + reply.dataset.keep : '';
  body.addEventListener('click', (event) => {
    const button = event.target.closest('[data-ready]');
    if (!button || !area()) return;
    area().value += (area().value && !area().value.endsWith(' ') ? ' ' : '') + button.dataset.ready;
    area().focus();
    area().dispatchEvent(new Event('input', { bubbles: true }));
  });
  body.addEventListener('keydown', (event) => {
    if (event.target === area() && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      area().form.requestSubmit();
    }
  });
  body.addEventListener('input', (event) => {
    if (event.target === area()) sessionStorage.setItem(key, JSON.stringify({ text: area().value }));
  });
  body.addEventListener('answered', () => { sessionStorage.removeItem(key); });
})();
