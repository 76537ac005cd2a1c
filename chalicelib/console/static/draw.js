// How a message looks. Everything a citizen or a clerk wrote goes in as text, never as HTML.
const CHOICES_SHOWN_MAX = 6;
const SHORT_LABEL_LETTERS_MAX = 14;
const THUMB_PIXELS = 160;
const LINK = /https?:\/\/[^\s<>"„“”]*[^\s<>"„“”.,;:!?)\]]/g;
const CYRILLIC = /[\u0400-\u04ff]/;

// One path each, grid 24, stroke 1.75.
const ICONS = {
  back: 'M19 12H5m5-5-5 5 5 5',
  camera: 'M4 7h4l2-3h4l2 3h4v12H4zM15.5 13a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0',
  clip: 'm20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7L9.5 17a1.7 1.7 0 0 1-2.4-2.4L14.5 7',
  close: 'm6 6 12 12M18 6 6 18',
  help: 'M4 9h16v11H4zM8 9V6a4 4 0 0 1 8 0v3M12 12v5M9.5 14.5h5',
  home: 'M4 11 12 4l8 7v9h-5v-6H9v6H4z',
  offline: 'M3 3l18 18M5 12a10 10 0 0 1 4-2.4M19 12a10 10 0 0 0-6-3M8.5 15.5a5 5 0 0 1 5-1M12 19v.01',
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
// A choice's picture by its kind (the first word of its id) or by its verb (the last); any other word has none.
const PICTURES = {
  assistance: 'help',
  back: 'back',
  cancel: 'close',
  confirm: 'send',
  contacts: 'phone',
  documents: 'sheet',
  emergency: 'help',
  menu: 'home',
  person: 'person',
  place: 'pin',
  procedures: 'question',
  'procedures.': 'sheet',
  question: 'question',
  report: 'wrench',
  status: 'sheet',
};
const QUIET = /^(back|cancel|skip|yes|no)$/;

let h;
let look;
let texts;

const clock = at => new Date(at).toTimeString().slice(0, 5);
const sameDay = (one, other) => new Date(one).toDateString() == new Date(other).toDateString();
const plural = (forms, n) => (forms[new Intl.PluralRules(door.tag).select(n)] || forms.other).replace('{n}', n);

const icon = name => h('svg', { viewBox: '0 0 24 24', class: 'i', 'aria-hidden': true }, h('path', { d: ICONS[name] }));

const makeButton = (kind, picture, label, onclick) =>
  h('button', { class: 'b ' + kind, type: 'button', onclick }, picture && icon(picture), label && h('span', {}, label));

// A button with a picture only: its name is for the ear and the pointer.
const pictureButton = (kind, picture, label, onclick, type = 'button') =>
  h('button', { class: 'b ' + kind, type, 'aria-label': label, title: label, onclick }, icon(picture));

function anchor(href, kind, ...inside) {
  const outward = /^http/.test(href) && { target: '_blank', rel: 'noopener noreferrer' };
  return h('a', { href, class: kind, ...outward }, ...inside, outward && h('span', { class: 'vh' }, ` (${texts.w_new_tab})`));
}

// Words with http(s) addresses made into links; nothing else in a text is read as markup.
function words(text) {
  const parts = [];
  let end = 0;
  for (const { 0: url, index } of text.matchAll(LINK)) {
    parts.push(text.slice(end, index), anchor(url, '', url));
    end = index + url.length;
  }
  return [...parts, text.slice(end)];
}

const paragraphs = (text = '') => text.split(/\n{2,}/).map(part => h('p', {}, ...words(part)));

// The language of a passage, where its letters are not those of the frame around it.
function tongue({ lang, text = '' }) {
  const cyrillic = CYRILLIC.test(text);
  if (lang || cyrillic == /Cyrl/.test(door.tag)) return lang;
  return (/^bs/.test(door.tag) ? 'bs' : 'sr') + (cyrillic ? '-Cyrl' : '-Latn');
}

function dayOf(at) {
  if (!door.data.full && sameDay(at, Date.now())) return texts.w_today;
  return new Date(at).toLocaleDateString(door.tag, { dateStyle: 'long' });
}

// `before`: what the other side said last, so that a name is written once and not above every message.
function drawHeard(item, before) {
  const turn = text => h('p', { class: 'sw-turn' }, `${clock(item.at)} · ${text}`);
  if (item.event) return [turn(item.text)];
  const person = item.from == 'operator';
  const known = before.from == item.from && before.by == item.by;
  const name = person ? item.by || texts.w_official : texts.w_machine;
  const by = () => h('p', { class: known ? 'vh' : 'sw-by' }, person && !known && icon('person'), name);
  const lang = tongue(item);
  const { sheet, media, link, case: reference } = item;
  const bubble = text => text && h('div', { class: person ? 'sw-m op' : 'sw-m', lang }, by(), ...paragraphs(text));
  return [
    person && before.from == 'bot' && !before.event && turn(texts.w_person_here),
    bubble(sheet ? sheet.before : !reference && item.text),
    reference ? drawTicket(item, lang) : sheet && drawSheet(sheet, lang),
    sheet && bubble(sheet.note),
    media && drawMedia(media),
    link && drawLink(link),
  ].filter(Boolean);
}

function drawLink({ label, url }) {
  const place = url[0] == '/' ? door.base + url : /^(https?|tel|mailto|viber):/.test(url) && url;
  return h('div', { class: 'sw-choices' }, place && anchor(place, 'b', icon(/^tel/.test(url) ? 'phone' : 'sheet'), h('span', {}, label)));
}

function drawValue({ text = '', items, ask, strong }) {
  if (items) return h('dd', {}, h('ul', {}, ...items.map(item => h('li', {}, h('span', {}, ...words(item))))));
  return h('dd', {}, h('span', { class: ask ? 'sw-ask' : strong && 'st' }, ...words(text)));
}

const drawRows = sections => h('dl', {}, ...sections.map(part => h('div', { class: part.half && 'half' }, h('dt', {}, part.label), drawValue(part))));

const drawSheet = ({ title, lead, sections, foot }, lang) =>
  h('article', { class: 'sw-sheet', lang }, h('header', {}, h(door.data.full ? 'h2' : 'h3', {}, title), ...paragraphs(lead)), drawRows(sections), foot && h('footer', {}, ...words(foot)));

const drawTicket = ({ case: reference, sheet, text }, lang) =>
  h('div', { class: 'sw-ticket', lang },
    h('span', { class: 'sw-by' }, sheet?.title || texts.w_case),
    h('span', { class: 'no' }, reference),
    h('div', { class: 'rest' }, ...(sheet ? [drawRows(sheet.sections)] : paragraphs(text))),
  );

const kindIcon = kind => icon({ photo: 'camera', video: 'camera' }[kind] || 'sheet');

function drawMedia({ url, type, name }) {
  const picture = type == 'photo' ? h('img', { src: url, alt: '' }) : kindIcon(type);
  // A signed link lives shortly: a picture that is gone leaves its place to the icon.
  picture.onerror = () => picture.replaceWith(kindIcon(type));
  return h('div', { class: 'sw-media' }, picture, h('div', {}, anchor(url, '', texts['w_' + type]), name && h('small', {}, name)));
}

// A citizen's own words, or what stands for them.
function drawSaid(item, stop) {
  const { type, text, latitude, longitude } = item;
  if (type == 'attachment') return drawAttached(item, stop);
  const place = type == 'location' && h('p', {}, h('small', {}, `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`));
  return h('div', { class: 'sw-m mine', lang: tongue(item) }, h('span', { class: 'vh' }, texts.w_you + ': '), ...paragraphs(text), place);
}

function drawAttached({ id, kind, name }, stop) {
  const label = texts['w_' + kind];
  const thumb = kindIcon(kind);
  if (kind == 'photo' && files.has(id)) drawThumbnail(files.get(id), thumb, label);
  const share = h('small', { 'aria-live': 'off' });
  const bar = h('progress', { max: 100, 'aria-label': label });
  const off = pictureButton('', 'close', texts.w_file_stop.replace('{name}', name), stop);
  const box = h('div', { class: 'sw-media' }, thumb, h('div', {}, h('strong', {}, label), h('small', {}, name), share, bar), off);
  // `n` percent sent; null when nothing is under way (any more).
  box.progress = n => {
    share.hidden = bar.hidden = off.hidden = n == null;
    share.textContent = texts.w_progress.replace('{n}', (bar.value = n || 0));
  };
  return box;
}

// Drawn on a canvas: a host page's img-src need not allow blob: addresses.
async function drawThumbnail(file, place, label) {
  try {
    const picture = await createImageBitmap(file, { resizeWidth: THUMB_PIXELS });
    const canvas = h('canvas', { width: THUMB_PIXELS, height: picture.height, role: 'img', 'aria-label': label });
    canvas.getContext('2d').drawImage(picture, 0, 0);
    place.replaceWith(canvas);
  } catch {
    // Not a picture this browser can read (HEIC): the icon stays.
  }
}

// Below a citizen's own words: sent when, or not sent and what can be done.
function drawStatus(item) {
  if (item.state == 'sent') return h('p', { class: 'sw-st', 'aria-live': 'off' }, icon('tick'), texts.w_sent.replace('{time}', clock(item.sent)));
  const [label, act] = item.again ? [texts.w_retry, retry] : item.type == 'text' ? [texts.w_edit, edit] : [];
  return h('p', { class: 'sw-st bad' }, icon('warning'), texts[item.why], label && makeButton('', '', label, () => act(item)));
}

// A way back is known by its words: its id is that of the place it leads to.
const verbOf = ({ id, label }) => (label == texts.w_back ? 'back' : id.split(/[^a-z]/).pop());

// Short pairs (Da / Ne, Nazad / Odustani) stand side by side, all others one under another in the order they came.
function drawChoices(choices) {
  const fits = choice => choice && choice.label.length <= SHORT_LABEL_LETTERS_MAX && (choices.length == 2 || QUIET.test(verbOf(choice)));
  const box = h('div', { class: 'sw-tail' });
  let list;
  choices.forEach((choice, at) => {
    const second = list?.two && !list.children[1];
    const two = second || (fits(choice) && fits(choices[at + 1]));
    if (!second && (!list || two || list.two)) box.append((list = h('ul', { class: two ? 'sw-choices two' : 'sw-choices' })));
    list.two = two;
    list.append(h('li', { lang: tongue({ text: choice.label }) }, drawChoice(choice)));
  });
  const rest = [...box.querySelectorAll('li')].slice(CHOICES_SHOWN_MAX);
  const hide = hidden => rest.forEach(item => (item.hidden = hidden));
  if (rest.length) {
    hide(true);
    const more = h('div', { class: 'sw-choices' }, makeButton('plain', '', texts.w_more, () => {
      hide(false);
      more.remove();
      rest[0].firstChild.focus();
    }));
    box.append(more);
  }
  return box;
}

function drawChoice({ id, label }) {
  const verb = verbOf({ id, label });
  const kind = id.split('.')[0];
  const picture = PICTURES[verb] || PICTURES[id] || PICTURES[kind + '.'] || PICTURES[kind];
  return makeButton(verb == 'confirm' ? 'go' : QUIET.test(verb) ? 'plain' : '', picture, label, () => say({ type: 'choice', choice: id, text: label }));
}
