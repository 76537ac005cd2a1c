// How a message looks. Everything a citizen or a clerk wrote goes in as text, never as HTML.
const CHOICES_SHOWN_MAX = 6;
const SHORT_LABEL_LETTERS_MAX = 14;
const THUMB_PIXELS = 160;
const LINK = /https?:\/\/[^\s<>"„“”]*[^\s<>"„“”.,;:!?)\]]/g;
const CYRILLIC = /[\u0400-\u04ff]/;
const LATIN = /[a-zà-ž]/i;

// One path each, grid 24, stroke 1.75.
const ICONS = {
  back: 'M19 12H5m5-5-5 5 5 5',
  camera: 'M4 7h4l2-3h4l2 3h4v12H4zM15.5 13a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0',
  clip: 'm20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7L9.5 17a1.7 1.7 0 0 1-2.4-2.4L14.5 7',
  close: 'm6 6 12 12M18 6 6 18',
  folder: 'M3 7h7l2 2h9v11H3z',
  help: 'M4 9h16v11H4zM8 9V6a4 4 0 0 1 8 0v3M12 12v5M9.5 14.5h5',
  home: 'M4 11 12 4l8 7v9h-5v-6H9v6H4z',
  more: 'm6 9 6 6 6-6',
  news: 'M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15zM10 21.5h4',
  offline: 'M3 3l18 18M5 12a10 10 0 0 1 4-2.4M19 12a10 10 0 0 0-6-3M8.5 15.5a5 5 0 0 1 5-1M12 19v.01',
  open: 'M13 4h7v7M20 4l-9 9M18 14v6H4V6h6',
  person: 'M16 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0M4 21c0-4.5 3.5-7 8-7s8 2.5 8 7',
  phone: 'M9 2.5h6a2 2 0 0 1 2 2v15a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2v-15a2 2 0 0 1 2-2zM11 18.5h2',
  pin: 'M12 21s-7-6.2-7-11.5a7 7 0 0 1 14 0C19 14.8 12 21 12 21zM14.5 9.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0',
  question: 'M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .9-1 1.7M12 17v.01',
  send: 'M4 12 20 4l-5 16-3.5-6.5zM11.5 13.5 20 4',
  sheet: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  tick: 'm5 12.5 4.5 4.5L19 7',
  warning: 'M12 3 2 20h20zM12 10v5m0 2.5v.01',
  wrench: 'M14 7a4 4 0 0 1 5-3l-2.5 2.5 1 2.5 2.5 1L22.5 7.5a4 4 0 0 1-5.5 4.5L8.5 20.5a2 2 0 0 1-3-3L14 9z',
};
// A choice's picture by a word of its id; none is drawn for a word not listed.
const PICTURES = [
  [/back/, 'back'],
  [/cancel/, 'close'],
  [/confirm|send|submit/, 'send'],
  [/menu|start/, 'home'],
  [/photo|video/, 'camera'],
  [/location|place/, 'pin'],
  [/operator|person/, 'person'],
  [/contact|phone/, 'phone'],
  [/report|problem/, 'wrench'],
  [/status|case/, 'folder'],
  [/assist|help|emergenc/, 'help'],
  [/news/, 'news'],
  [/procedures|question|faq/, 'question'],
  [/document|procedure|sheet/, 'sheet'],
];
const QUIET = /(^|[^a-z])(back|cancel|skip|yes|no)([^a-z]|$)/;
const LEADING = /(^|[^a-z])(confirm|send|submit)([^a-z]|$)/;

const clock = at => new Date(at).toTimeString().slice(0, 5);
const sameDay = (one, other) => new Date(one).toDateString() == new Date(other).toDateString();

class Pen {
  constructor(door, { texts }) {
    this.h = door.h;
    this.door = door;
    this.texts = texts;
  }

  icon(name) {
    const { h } = this;
    return h('svg', { viewBox: '0 0 24 24', class: 'i', 'aria-hidden': true }, h('path', { d: ICONS[name] }));
  }

  button(kind, icon, label, onclick) {
    return this.h('button', { class: 'b ' + kind, type: 'button', onclick }, icon && this.icon(icon), label);
  }

  // A button with a picture only: its name is for the ear and the pointer.
  picture(kind, icon, label, onclick, type = 'button') {
    return this.h('button', { class: 'b ' + kind, type, 'aria-label': label, title: label, onclick }, this.icon(icon));
  }

  link(url, attributes, ...inside) {
    const note = this.h('span', { class: 'vh' }, ` (${this.texts.w_new_tab})`);
    return this.h('a', { href: url, target: '_blank', rel: 'noopener noreferrer', ...attributes }, ...inside, note);
  }

  // Words with http(s) addresses made into links; nothing else in a text is read as markup.
  words(text) {
    const parts = [];
    let end = 0;
    for (const { 0: url, index } of text.matchAll(LINK)) {
      parts.push(text.slice(end, index), this.link(url, {}, url));
      end = index + url.length;
    }
    return [...parts, text.slice(end)];
  }

  paragraphs(text) {
    return text.split(/\n{2,}/).map(part => this.h('p', {}, ...this.words(part)));
  }

  // The language of a passage, where its letters are not those of the frame around it.
  tongue({ lang, text = '' }) {
    if (lang) return lang;
    const cyrillic = CYRILLIC.test(text);
    const framed = this.door.tag.endsWith('-Cyrl');
    if (cyrillic == framed || !(cyrillic || LATIN.test(text))) return null;
    const base = /^(sr|bs)/.test(this.door.tag) ? this.door.tag.slice(0, 2) : 'sr';
    return base + (cyrillic ? '-Cyrl' : '-Latn');
  }

  day(at) {
    const date = new Date(at);
    if (!this.door.data.full && sameDay(at, Date.now())) return this.texts.w_today;
    const name = this.texts.w_weekdays.split('|')[date.getDay()];
    return name + ', ' + new Intl.DateTimeFormat(this.door.tag, { day: 'numeric', month: 'long', year: 'numeric' }).format(date);
  }

  // `before`: what the other side said last, so that a name is written once and not above every message.
  heard(item, before) {
    const { h, texts } = this;
    const person = item.from == 'operator';
    const parts = [];
    if (item.event) return [h('p', { class: 'sw-turn' }, `${clock(item.at)} · ${item.text}`)];
    if (person && before.from != 'operator' && !before.event) parts.push(h('p', { class: 'sw-turn' }, `${clock(item.at)} · ${texts.w_person_here}`));
    const name = person ? item.by || texts.w_official : texts.w_machine;
    const known = before.from == item.from && before.by == item.by && !before.event;
    const by = h('p', { class: known ? 'vh' : 'sw-by' }, person && !known && this.icon('person'), name);
    const lang = this.tongue(item);
    if (item.case) parts.push(this.ticket(item, lang));
    else if (item.sheet) parts.push(this.sheet(item.sheet, lang));
    else if (item.text) parts.push(h('div', { class: person ? 'sw-m op' : 'sw-m', lang }, by, ...this.paragraphs(item.text)));
    if (item.media) parts.push(this.media(item.media));
    if (item.link) parts.push(h('div', { class: 'sw-choices' }, this.outward(item.link)));
    return parts;
  }

  outward({ label, url }) {
    const safe = /^(https?|tel|mailto):/.test(url) ? url : url.startsWith('/') && this.door.base + url;
    const icon = this.icon(/^tel:/.test(url) ? 'phone' : 'open');
    if (/^(tel|mailto):/.test(url)) return this.h('a', { class: 'b', href: url }, icon, label);
    return safe ? this.link(safe, { class: 'b' }, icon, this.h('span', {}, label)) : this.h('span', {}, label);
  }

  sheet({ title, sections, foot }, lang) {
    const { h } = this;
    return h('article', { class: 'sw-sheet', lang },
      h('header', {}, h('h3', {}, title)),
      h('dl', {}, ...sections.map(part => h('div', { class: part.half ? 'half' : null }, h('dt', {}, part.label), h('dd', {}, ...this.value(part))))),
      foot && h('footer', {}, ...this.words(foot)),
    );
  }

  value({ text = '', items, ask, strong }) {
    const { h } = this;
    if (items) return [h('ul', {}, ...items.map(item => h('li', {}, h('span', {}, ...this.words(item)))))];
    if (ask) return [h('span', { class: 'sw-ask' }, text)];
    return strong ? [h('span', { class: 'st' }, text)] : this.words(text);
  }

  ticket({ case: reference, sheet, text }, lang) {
    const { h } = this;
    const rows = sheet?.sections.map(part => h('div', {}, h('dt', {}, part.label), h('dd', {}, ...this.value(part))));
    return h('div', { class: 'sw-ticket', lang },
      h('span', { class: 'sw-by' }, sheet?.title || this.texts.w_case),
      h('span', { class: 'no' }, reference),
      h('div', { class: 'rest' }, ...(rows ? [h('dl', {}, ...rows)] : this.paragraphs(text))),
    );
  }

  media({ url, type, name, size }) {
    const { h, texts } = this;
    const label = texts['w_' + type] || texts.w_file;
    const picture = type == 'photo' ? h('img', { src: url, alt: '', loading: 'lazy' }) : this.icon(type == 'video' ? 'camera' : 'sheet');
    // A signed link lives shortly: an expired picture leaves its place to the icon.
    picture.onerror = () => picture.replaceWith(this.icon('camera'));
    const detail = [name, size && Math.ceil(size / 1024) + ' kB'].filter(Boolean).join(', ');
    return h('div', { class: 'sw-media' }, picture, h('div', {}, this.link(url, {}, label), detail && h('small', {}, detail)));
  }

  // A citizen's own words, or what stands for them.
  said(item, file, stop) {
    const { h, texts } = this;
    const you = h('span', { class: 'vh' }, texts.w_you + ': ');
    if (item.type == 'attachment') return this.attached(item, file, stop);
    if (item.type != 'location') return h('div', { class: 'sw-m mine', lang: this.tongue(item) }, you, ...this.paragraphs(item.text || item.phone));
    const place = `${item.latitude.toFixed(5)}, ${item.longitude.toFixed(5)}`;
    return h('div', { class: 'sw-m mine sw-row' }, this.icon('pin'), h('p', {}, you, texts.w_place, h('br'), h('small', {}, place)));
  }

  attached({ kind, name }, file, stop) {
    const { h, texts } = this;
    const label = texts['w_' + kind];
    const thumb = this.icon(kind == 'file' ? 'sheet' : 'camera');
    if (file && kind == 'photo') this.thumbnail(file, thumb, label);
    const share = h('small', { 'aria-live': 'off' });
    const bar = h('progress', { max: 100, 'aria-label': label });
    const off = this.picture('', 'close', texts.w_file_stop.replace('{name}', name), stop);
    const box = h('div', { class: 'sw-media' }, thumb, h('div', {}, h('strong', {}, label), h('small', {}, name), share, bar), off);
    // `n` percent sent; null when nothing is under way (any more).
    box.progress = n => {
      share.hidden = bar.hidden = off.hidden = n == null;
      share.textContent = texts.w_progress.replace('{n}', (bar.value = n || 0));
    };
    return box;
  }

  // Drawn on a canvas: a host page's img-src need not allow blob: addresses.
  async thumbnail(file, place, label) {
    try {
      const picture = await createImageBitmap(file);
      const canvas = this.h('canvas', { width: THUMB_PIXELS, height: THUMB_PIXELS * 0.75, role: 'img', 'aria-label': label });
      const scale = Math.max(canvas.width / picture.width, canvas.height / picture.height);
      const [width, height] = [picture.width * scale, picture.height * scale];
      canvas.getContext('2d').drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
      place.replaceWith(canvas);
    } catch {
      // Not a picture this browser can read (HEIC): the icon stays.
    }
  }

  // Below a citizen's own words: sent when, still on its way, or not sent and what can be done.
  status(item, act) {
    const { h, texts } = this;
    if (item.state == 'sent') return h('p', { class: 'sw-st', 'aria-live': 'off' }, this.icon('tick'), texts.w_sent.replace('{time}', clock(item.sent)));
    if (item.state == 'queued') return h('p', { class: 'sw-st', 'aria-live': 'off' }, texts.w_sending);
    const again = item.again ? [texts.w_retry, act.retry] : item.type == 'text' && [texts.w_edit, act.edit];
    return h('p', { class: 'sw-st bad' }, this.icon('warning'), texts[item.why], again && this.button('', '', again[0], () => again[1](item)));
  }

  // Short pairs (Da / Ne, Nazad / Odustani) stand side by side, all others one under another in the order they came.
  choices(choices, pick) {
    const { h } = this;
    const fits = choice => choice && choice.label.length <= SHORT_LABEL_LETTERS_MAX && (choices.length == 2 || QUIET.test(choice.id));
    const box = h('div', { class: 'sw-tail' });
    let list;
    choices.forEach((choice, at) => {
      const second = list?.two && list.children.length == 1;
      const two = second || (fits(choice) && fits(choices[at + 1]));
      if (!second && (!list || two || list.two)) box.append((list = h('ul', { class: two ? 'sw-choices two' : 'sw-choices' })));
      list.two = two;
      list.append(h('li', { lang: this.tongue({ text: choice.label }) }, this.choice(choice, pick)));
    });
    const rest = [...box.querySelectorAll('li')].slice(CHOICES_SHOWN_MAX);
    if (rest.length) {
      const more = h('div', { class: 'sw-choices' }, this.button('plain', 'more', this.texts.w_more, () => {
        for (const item of rest) item.hidden = false;
        more.remove();
        rest[0].firstChild.focus();
      }));
      for (const item of rest) item.hidden = true;
      box.append(more);
    }
    return box;
  }

  choice(choice, pick) {
    const kind = LEADING.test(choice.id) ? 'go' : QUIET.test(choice.id) ? 'plain' : '';
    const picture = PICTURES.find(([word]) => word.test(choice.id));
    return this.button(kind, picture?.[1], this.h('span', {}, choice.label), () => pick(choice));
  }
}
