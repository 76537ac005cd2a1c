// The loader: all that a town's page fetches before somebody opens the chat. It draws the button in the town's colours
// and brings the panel at the first press. Names in %..% are filled in by widget.py.
(() => {
  const LOOK_FRESH_MS = 36e5;
  const PANEL = '%panel.js%';

  const script = document.currentScript || document.querySelector('script[data-tenant]');
  const data = script.dataset;
  const tenant = data.tenant;
  if (!tenant || customElements.get('salter-chat')) return;
  customElements.define('salter-chat', class extends HTMLElement {});
  const base = script.src.split('/widget.js')[0];
  const town = `${base}/chat/${tenant}/`;

  // One record a town: token, what is drawn, what is still to be sent. Where storage is refused it lasts for the page.
  const name = 'salter.' + tenant;
  let record = {};
  const read = () => {
    try { record = JSON.parse(localStorage[name] || '{}'); } catch {}
    return record;
  };
  const write = change => {
    record = { ...read(), ...change };
    try { localStorage[name] = JSON.stringify(record); } catch {}
  };

  // Elements are made one by one, never from HTML text: the strictest host policy (Trusted Types too) has no objection.
  const h = (tag, attributes, ...inside) => {
    const element = document.createElementNS(`http://www.w3.org/${/^(svg|path)$/.test(tag) ? '2000/svg' : '1999/xhtml'}`, tag);
    for (const key in attributes) {
      const value = attributes[key];
      if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
      else if (value != null) element.setAttribute(key, value);
    }
    element.append(...inside.filter(Boolean));
    return element;
  };
  const mark = () => h('svg', { viewBox: '0 0 40 40', 'aria-hidden': true }, h('path', { d: 'M6 3h28v24h4v5H22l-10 7v-7H2v-5h4zm3.5 3.5v2.5h21V6.5zm0 5.5v2.5h21V12zm0 5.5V27h21v-9.5z' }));

  const host = h('salter-chat');
  const root = host.attachShadow({ mode: 'open' });
  const title = h('span', {}, 'Šalter');
  const hint = h('small');
  const button = h('button', { type: 'button', 'aria-haspopup': 'dialog', onclick: open }, mark(), h('span', {}, title, hint));
  const launcher = h('aside', { hidden: data.full }, button);
  root.append(launcher);

  // Sheets made by script need no style-src of the host page. A browser that cannot make them gets the same by link.
  const sheets = [];
  const wear = (place, css, path) => {
    if (!root.adoptedStyleSheets) return path && root.append(h('link', { rel: 'stylesheet', href: base + path }));
    (sheets[place] ||= new CSSStyleSheet()).replaceSync(css);
    root.adoptedStyleSheets = sheets.filter(Boolean);
  };
  wear(0, '%launch%', '%launch.css%');

  // The host page's own lang is not asked, many town sites carry a wrong one. A citizen's earlier choice goes first.
  const voice = () => read().voice || { language: data.language || '', script: data.script || '' };
  const asked = () => '' + new URLSearchParams(voice());
  let look;
  const see = seen => {
    look = seen;
    const { texts, colours } = look;
    const css = c => `:host{--accent:${c.accent};--accent-2:${c.accent2};--accent-soft:${c.soft};--on-accent:${c.on}}`;
    wear(2, `${css(colours.light)}@media(prefers-color-scheme:dark){${css(colours.dark)}}`);
    // Montenegrin is in no browser's list; Serbian words and plurals are the nearest.
    door.tag = host.lang = (look.language == 'cnr' ? 'sr' : look.language) + (look.script == 'cyrillic' ? '-Cyrl' : '-Latn');
    title.textContent = texts.w_ask;
    hint.textContent = texts.w_open;
    launcher.setAttribute('aria-label', texts.w_ask);
    launcher.hidden = data.full || door.shown;
    return look;
  };
  const fetchLook = async part => {
    const response = await fetch(`${town}look?${asked()}&part=${part}`);
    if (!response.ok) throw Error(`Šalter: ${response.status} for data-tenant="${tenant}"`);
    see(await response.json());
    write({ look, seen: Date.now(), asked: PANEL + asked() });
    return look;
  };
  const findLook = () => {
    const kept = read();
    if (data.full && !kept.voice) return see(JSON.parse(document.getElementById('look').textContent));
    // Kept words are those of this version of the panel: a new one may need more of them.
    if (kept.asked == PANEL + asked()) see(kept.look);
    return kept.seen > Date.now() - LOOK_FRESH_MS && look || fetchLook('button');
  };

  // No Content-Type on purpose: the call stays a simple one and needs no preflight from a town's own page.
  const openSession = () =>
    fetch(town + 'sessions', { method: 'POST', body: new Blob([JSON.stringify({ language: Object.values(voice()).filter(Boolean).join('-'), context: data.context })]) });

  // A failed import is remembered by the browser; another query asks again.
  let tries = 0;
  let brought;
  const load = async () => {
    const code = import(base + PANEL + (tries++ ? '?' + tries : ''));
    code.catch(() => {});
    if (!look?.name) await fetchLook('all');
    return (await code).panel(door, look);
  };
  const bring = () =>
    (brought ||= load().catch(problem => {
      brought = 0;
      throw problem;
    }));
  async function open() {
    hint.textContent = look ? look.texts.w_connecting : '';
    const fresh = !brought && (!read().token || (data.context && data.context != read().context));
    const code = bring();
    if (fresh) door.first = openSession().catch(() => {});
    try {
      (await code)();
      hint.textContent = look.texts.w_open;
    } catch {
      if (look) hint.textContent = look.texts.w_not_opened;
      launcher.hidden = !look;
    }
  }

  const door = { town, base, root, data, h, mark, read, write, wear, name, fetchLook, openSession, launcher, button };
  const begin = async () => {
    (data.full ? document.querySelector('main') : document.body).append(host);
    try {
      await findLook();
      if (data.full) open();
      // A begun conversation may have news. The panel counts them; its code is in this browser's cache already.
      else if (read().last) bring().catch(() => {});
    } catch (problem) {
      // Without a look there is no button: nothing dead stands on the town's page. It comes with the connection.
      launcher.hidden = true;
      console.warn(problem);
      addEventListener('online', begin, { once: true });
    }
  };
  document.body ? begin() : addEventListener('DOMContentLoaded', begin);
})();
