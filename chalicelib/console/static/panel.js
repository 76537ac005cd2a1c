// The frame around a conversation: name plate, notices, log, what is written, and the foot. One export, `panel`.
const TEXT_LETTERS_MAX = 7000;
const FILES_AT_ONCE_MAX = 5;
const LOCATION_TIMEOUT_MS = 15_000;
const LOCATION_AGE_MAX_MS = 60_000;
const PICTURE = 'image/*,video/*';
const ANY_FILE = PICTURE + ',application/pdf';
const NEAR_END_PIXELS = 80;
const AWAITED_MS = 60;

let frame;
let motto;
let person;
let banner;
let board;
let tail;
let field;
let chooser;
let pill;
let dot;
let asking = false;
let notice;
let offered;
const nodes = new Map();

export function panel(from, seen) {
  door = from;
  h = door.h;
  door.wear(1, '%chat%', '%chat.css%');
  use(seen);
  dot = h('b', { hidden: true });
  door.button.append(dot);
  startTalk();
  addEventListener('pagehide', keepDraft);
  draw();
  poll();
  return show;
}

function use(seen) {
  look = seen;
  texts = look.texts;
}

function show() {
  if (!frame) build();
  // What the town has answered by now stands in the frame from the start: a slow phone lays it out once, not twice.
  Promise.race([begin(), new Promise(done => setTimeout(done, AWAITED_MS))]).then(appear);
}

function appear() {
  if (shown) return;
  shown = door.shown = door.launcher.hidden = true;
  missed = 0;
  draw();
  // On a phone the chat covers the page: as a modal dialog it keeps the focus and the reader inside.
  if (!door.data.full) matchMedia('(max-width: 30rem)').matches ? frame.showModal() : frame.show();
  toEnd();
  // A text field in focus would raise a phone's keyboard over the greeting.
  (matchMedia('(pointer: coarse)').matches ? frame : field).focus();
}

function escape(event) {
  event.preventDefault();
  if (asking) askNew(false);
  else if (!door.data.full) close();
}

function close() {
  keepDraft();
  frame.close();
  shown = door.shown = door.launcher.hidden = false;
  door.button.focus();
  watch(true);
}

function keepDraft() {
  if (!field || draft == field.value) return;
  draft = field.value;
  save();
}

function build() {
  const { full } = door.data;
  frame = h(full ? 'div' : 'dialog', {
    class: full ? 'sw sw-panel sw-full' : 'sw sw-panel sw-float',
    tabindex: -1,
    onkeydown: event => event.key == 'Escape' && escape(event),
    oncancel: escape,
  });
  furnish();
  door.root.append(frame);
  // A phone's keyboard takes room from the chat, it does not cover the foot.
  visualViewport?.addEventListener('resize', () => frame.style.setProperty('--room', visualViewport.height * visualViewport.scale + 'px'));
}

// Everything with words in it; done again when the language or the script changes.
function furnish() {
  const { full } = door.data;
  const { links, name } = look;
  nodes.clear();
  notice = offered = '';
  frame.lang = door.tag;
  if (!full) frame.setAttribute('aria-label', name);
  motto = h('p');
  person = h('button', { class: 'b word', type: 'button', onclick: callPerson });
  banner = h('div', { role: 'status' });
  tail = h('div', { class: 'sw-tail' });
  board = h('div', { class: 'sw-log', role: 'log', 'aria-label': texts.w_conversation, tabindex: 0, onscroll: () => isNearEnd() && pill?.remove() }, tail);
  frame.replaceChildren(
    h('div', { class: 'sw-head' },
      door.mark(),
      h('div', { class: 'grow' }, h(full ? 'h1' : 'h2', {}, name), motto),
      links.person ? h('a', { class: 'b word', href: door.base + links.person }, texts.w_person) : person,
      !full && pictureButton('', 'close', texts.w_close, close),
    ),
    banner,
    board,
    drawFoot(),
  );
}

function drawFoot() {
  chooser = h('input', { type: 'file', multiple: true, hidden: true, onchange: attach });
  field = h('textarea', {
    id: 'w', rows: 1, maxlength: TEXT_LETTERS_MAX, placeholder: texts.w_placeholder, enterkeyhint: 'send',
    onkeydown: event => event.key == 'Enter' && !event.shiftKey && !event.isComposing && write(event),
    onchange: keepDraft,
  });
  field.value = draft;
  return h('div', { class: 'sw-foot' },
    h('form', { class: 'sw-write', onsubmit: write },
      pictureButton('', 'clip', texts.w_attach, () => chooseFile(ANY_FILE)),
      chooser,
      h('div', {}, h('label', { class: 'vh', for: 'w' }, texts.w_placeholder), field),
      pictureButton('go', 'send', texts.w_send, null, 'submit'),
    ),
    h('small', {},
      anchor(door.base + look.links.privacy, '', texts.w_privacy),
      h('button', { class: 'new', type: 'button', onclick: () => askNew(true) }, texts.w_new_conversation),
      drawLanguages(look.languages),
    ),
  );
}

function drawLanguages(languages) {
  const label = texts.w_language + ': ';
  if (!languages[1]) return h('span', {}, label + languages[0].label);
  const select = h('select', { onchange: () => speak(languages[select.selectedIndex]) }, ...languages.map(one => h('option', {}, one.label)));
  select.selectedIndex = languages.findIndex(one => one.id == look.language && one.script == look.script);
  return h('label', {}, label, select);
}

async function speak({ id, script, label }) {
  const before = door.read().voice;
  door.write({ voice: { language: id, script } });
  draft = field.value;
  try {
    use(await door.fetchLook('all'));
  } catch {
    door.write({ voice: before });
    trouble = 'w_unavailable';
    label = '';
  }
  furnish();
  draw();
  if (label) say({ type: 'choice', choice: `language.${id}-${script}`, text: label });
  frame.querySelector('select').focus();
}

// The way to a person, or back to the program when one is on the line.
function callPerson() {
  if (personOnLine()) say({ type: 'choice', choice: 'operator.end', text: texts.w_person_end });
  else say({ type: 'text', text: texts.w_person_word });
}

function write(event) {
  event.preventDefault();
  const text = field.value.trim();
  field.focus();
  if (!text) return;
  field.value = draft = '';
  say({ type: 'text', text });
}

function edit(item) {
  field.value = item.text;
  field.focus();
  drop(item);
}

function chooseFile(accept) {
  chooser.accept = accept;
  chooser.click();
}

function attach() {
  for (const file of [...chooser.files].slice(0, FILES_AT_ONCE_MAX)) {
    const mime = file.type || 'application/octet-stream';
    const kind = { image: 'photo', video: 'video' }[mime.split('/')[0]] || 'file';
    say({ type: 'attachment', kind, mime, name: file.name, size: file.size }, file);
  }
  chooser.value = '';
}

function locate(note) {
  const refused = ({ code }) => {
    note.textContent = code == 1 ? texts.w_place_denied : texts.w_place_failed;
    field.focus();
  };
  note.textContent = texts.w_place_wait;
  if (!navigator.geolocation) return refused({});
  navigator.geolocation.getCurrentPosition(
    ({ coords: { latitude, longitude } }) => say({ type: 'location', latitude, longitude, text: texts.w_place }),
    refused,
    { enableHighAccuracy: true, timeout: LOCATION_TIMEOUT_MS, maximumAge: LOCATION_AGE_MAX_MS },
  );
}

// A new conversation ends this one, so it asks first, in the place of notices and not over the page.
function askNew(now) {
  asking = now;
  draw();
  (asking ? banner : frame).querySelector(asking ? 'button' : '.new').focus();
}

function startAnew() {
  asking = false;
  clear();
  field.value = '';
  field.focus();
  begin();
}

function draw() {
  if (!dot) return;
  dot.hidden = !missed || shown;
  dot.textContent = plural(texts.w_unread, missed);
  if (!shown) return;
  motto.textContent = personOnLine() ? texts.w_person_chat : texts.w_always;
  person.textContent = personOnLine() ? texts.w_person_end : texts.w_person;
  drawBanner();
  drawLog();
}

function drawBanner() {
  const bad = offline() ? 'w_offline' : (waiting() || !token) && trouble;
  const now = asking ? 'w_new_ask' : bad || (personOnLine() && 'w_person_note') || '';
  if (now == notice) return;
  notice = now;
  banner.className = now && (bad && !asking ? 'sw-banner' : 'sw-banner calm');
  const picture = { w_offline: 'offline', w_person_note: 'person' }[now] || 'warning';
  banner.replaceChildren(...(now ? [icon(picture), h('span', {}, texts[now])] : []));
  if (asking) banner.append(makeButton('go', '', texts.w_new_start, startAnew), makeButton('', '', texts.w_new_keep, () => askNew(false)));
}

// Small windows scroll as one page, others only the log.
const scroller = () => (getComputedStyle(board).overflowY == 'visible' ? frame : board);
const isNearEnd = (it = scroller()) => it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_END_PIXELS;
const toEnd = (it = scroller()) => (it.scrollTop = it.scrollHeight);

function drawLog() {
  const near = isNearEnd();
  const kept = new Set(log.map(item => item.id));
  for (const [id, node] of nodes) {
    if (!kept.has(id)) {
      node.remove();
      nodes.delete(id);
    }
  }
  const lastSent = log.filter(item => item.state == 'sent').pop();
  const fresh = [];
  let before = {};
  let at = 0;
  for (const item of log) {
    if (!nodes.has(item.id)) {
      placeItem(item, before, at);
      fresh.push(item);
    }
    if (isOurs(item)) refresh(nodes.get(item.id), item, item == lastSent);
    else before = item;
    at = item.at;
  }
  drawTail();
  if (fresh.length) follow(fresh, near);
}

function placeItem(item, before, at) {
  const newDay = !sameDay(at, item.at) && (at || door.data.full || !sameDay(item.at, Date.now()));
  const day = newDay && h('p', { class: 'sw-day', 'aria-live': 'off' }, dayOf(item.at));
  const node = h('div', {}, day, ...(isOurs(item) ? [] : drawHeard(item, before)));
  nodes.set(item.id, node);
  tail.before(node);
}

// Only what changed is drawn again: a reader is told each thing once, and a focused button stays.
function refresh(node, item, isLast) {
  const { state, text = '' } = item;
  if (node.text != text) {
    node.body?.remove();
    node.body = drawSaid(item, () => {
      drop(item);
      field.focus();
    });
    node.append(node.body);
    node.text = text;
  }
  const sending = state == 'queued' && files.has(item.id);
  node.body.progress?.(sending ? item.done || 0 : null);
  const told = state == 'failed' || (state == 'sent' && isLast);
  if (node.told == (told && state)) return;
  node.told = told && state;
  node.line?.remove();
  node.line = told ? drawStatus(item) : null;
  if (told) node.append(node.line);
}

// Below the log: what can be pressed now, and that an answer is being written.
function drawTail() {
  const open = openQuestion();
  const typing = !trouble && !offline() && !personOnLine() && (waiting() || !token);
  const now = [open?.id, typing, log.length] + '';
  if (now == offered) return;
  offered = now;
  const held = tail.contains(door.root.activeElement);
  field.inputMode = { email: 'email', personal_number: 'numeric', quantity: 'numeric' }[open?.ask] || '';
  tail.replaceChildren(...(open ? drawOffers(open) : []));
  if (typing) tail.append(h('p', { class: 'sw-type', 'aria-hidden': true }, h('span', { class: 'sw-dots' }, h('i'), h('i'), h('i')), log[0] ? texts.w_typing : texts.w_connecting));
  // The pressed choice is gone; the focus waits in the log, where the answer comes.
  if (held) board.focus({ preventScroll: true });
}

// The last message that asks something, unless the citizen has said something since.
function openQuestion() {
  const rest = log.filter(item => item.state != 'failed');
  return rest.slice(rest.map(isOurs).lastIndexOf(true) + 1).filter(item => item.ask || item.choices?.length).pop();
}

function drawOffers({ ask, choices = [] }) {
  const note = h('p', { class: 'sw-type' });
  const lead = (picture, label, act) => h('div', { class: 'sw-choices' }, makeButton('go', picture, label, act));
  return [
    ...(ask == 'location' ? [lead('pin', texts.w_send_place, () => locate(note)), note] : []),
    ask == 'photo' && lead('camera', texts.w_add_photo, () => chooseFile(PICTURE)),
    ask == 'file' && lead('clip', texts.w_add_file, () => chooseFile(ANY_FILE)),
    ask == 'phone' && drawPhoneForm(),
    choices.length && drawChoices(choices),
  ].filter(Boolean);
}

function drawPhoneForm() {
  const number = h('input', { id: 'p', type: 'tel', autocomplete: 'tel', required: true });
  const onsubmit = event => {
    event.preventDefault();
    say({ type: 'phone', phone: number.value, text: number.value });
  };
  const send = h('button', { class: 'b go' }, icon('phone'), texts.w_send_phone);
  return h('form', { class: 'sw-choices', onsubmit }, h('label', { for: 'p' }, texts.w_phone), number, send);
}

// What came is shown from its beginning; whoever reads further up is not moved, only told.
function follow(fresh, near) {
  pill?.remove();
  if (fresh.some(isOurs)) toEnd();
  else if (near) reveal(fresh[0]);
  else {
    pill = h('button', { class: 'sw-new', type: 'button', onclick: () => reveal(fresh[0]) }, plural(texts.w_unread, fresh.length));
    tail.after(pill);
  }
}

function reveal({ id }) {
  pill?.remove();
  const first = nodes.get(id).firstElementChild;
  scroller().scrollTop += first.getBoundingClientRect().top - scroller().getBoundingClientRect().top - 12;
}
