// The frame around a conversation: name plate, notices, log, what is written, and the foot. One export, `panel`.
const TEXT_LETTERS_MAX = 7000;
const FILES_AT_ONCE_MAX = 5;
const LOCATION_TIMEOUT_MS = 15_000;
const LOCATION_AGE_MAX_MS = 60_000;
const NEAR_END_PIXELS = 80;
const NARROW = '(max-width: 30rem)';

class Panel {
  constructor(door, look) {
    this.door = door;
    this.h = door.h;
    this.look = look;
    this.nodes = new Map();
    this.dot = door.h('b', { hidden: true });
    door.button.append(this.dot);
    this.talk = new Talk(door, () => this.talk && this.draw());
    this.draw();
    this.talk.poll();
    addEventListener('pagehide', () => this.keepDraft());
  }

  show() {
    const { door, talk, frame = this.build() } = this;
    door.shown = true;
    door.launcher.hidden = true;
    talk.missed = 0;
    // On a phone the chat covers the page: as a modal dialog it keeps the focus and the reader inside.
    if (!door.data.full) {
      this.modal = matchMedia(NARROW).matches;
      frame[this.modal ? 'showModal' : 'show']();
    }
    this.draw();
    this.scroller.scrollTop = this.scroller.scrollHeight;
    // A text field in focus would raise a phone's keyboard over the greeting.
    if (matchMedia('(pointer: coarse)').matches) frame.focus();
    else this.field.focus();
    talk.begin();
  }

  close() {
    const { door } = this;
    this.keepDraft();
    this.frame.close();
    door.shown = false;
    door.launcher.hidden = false;
    door.button.focus();
    this.talk.watch(true);
  }

  escape() {
    if (this.asking) this.ask(false);
    else if (!this.door.data.full) this.close();
  }

  keepDraft() {
    if (!this.field || this.talk.draft == this.field.value) return;
    this.talk.draft = this.field.value;
    this.talk.save();
  }

  build() {
    const { h, door } = this;
    const full = door.data.full;
    this.frame = h(full ? 'div' : 'dialog', {
      class: full ? 'sw sw-panel sw-full' : 'sw sw-panel sw-float',
      tabindex: -1,
      onkeydown: event => event.key == 'Escape' && (event.preventDefault(), this.escape()),
      oncancel: event => (event.preventDefault(), this.escape()),
    });
    this.furnish();
    door.root.append(this.frame);
    visualViewport?.addEventListener('resize', () => this.frame.style.setProperty('--room', visualViewport.height * visualViewport.scale + 'px'));
    return this.frame;
  }

  // Everything with words in it; done again when the language or the script changes.
  furnish() {
    const { h, door, look, frame } = this;
    const { texts } = look;
    this.pen = new Pen(door, look);
    this.nodes.clear();
    this.notice = '';
    frame.lang = door.tag;
    if (!door.data.full) frame.setAttribute('aria-label', look.name);
    this.motto = h('p');
    this.person = h('button', { class: 'b word', type: 'button', onclick: () => this.callPerson() });
    this.banner = h('div', { role: 'status' });
    this.tail = h('div', { class: 'sw-tail' });
    this.log = h('div', { class: 'sw-log', role: 'log', 'aria-label': texts.w_conversation, tabindex: 0, onscrollend: () => this.seen() }, this.tail);
    frame.replaceChildren(
      h('div', { class: 'sw-head' },
        door.mark(),
        h('div', { class: 'grow' }, h(door.data.full ? 'h1' : 'h2', {}, look.name), this.motto),
        look.links.person ? h('a', { class: 'b word', href: door.base + look.links.person }, texts.w_person) : this.person,
        !door.data.full && this.pen.picture('', 'close', texts.w_close, () => this.close()),
      ),
      this.banner,
      this.log,
      this.foot(),
    );
    this.drawn = '';
  }

  foot() {
    const { h, pen, look } = this;
    const { texts } = look;
    this.files = h('input', { type: 'file', multiple: true, hidden: true, onchange: () => this.attach() });
    this.field = h('textarea', {
      id: 'w', rows: 1, maxlength: TEXT_LETTERS_MAX, placeholder: texts.w_placeholder, enterkeyhint: 'send',
      onkeydown: event => event.key == 'Enter' && !event.shiftKey && !event.isComposing && (event.preventDefault(), this.write()),
      onchange: () => this.keepDraft(),
    });
    this.field.value = this.talk.draft;
    return h('div', { class: 'sw-foot' },
      h('form', { class: 'sw-write', onsubmit: event => (event.preventDefault(), this.write()) },
        pen.picture('', 'clip', texts.w_attach, () => this.choose('')),
        this.files,
        h('div', {}, h('label', { class: 'vh', for: 'w' }, texts.w_placeholder), this.field),
        pen.picture('send', 'send', texts.w_send, null, 'submit'),
      ),
      h('small', {},
        pen.link(this.door.base + look.links.privacy, {}, texts.w_privacy),
        h('button', { class: 'new', type: 'button', onclick: () => this.ask(true) }, texts.w_new_conversation),
        this.languages(),
      ),
    );
  }

  languages() {
    const { h, look } = this;
    const { languages } = look;
    const words = look.texts.w_language + ':';
    if (languages.length < 2) return h('span', {}, `${words} ${languages[0]?.label || ''}`);
    const select = h('select', { onchange: () => this.speak(languages[select.selectedIndex]) }, ...languages.map(one => h('option', {}, one.label)));
    select.selectedIndex = languages.findIndex(one => one.id == look.language && one.script == look.script);
    return h('label', {}, words, select);
  }

  async speak({ id, script, label }) {
    const { door, talk } = this;
    const before = door.read().voice;
    door.write({ voice: { language: id, script } });
    try {
      this.look = await door.fetchLook('all');
    } catch {
      door.write({ voice: before });
      talk.trouble = 'w_unavailable';
      label = '';
    }
    talk.draft = this.field.value;
    this.furnish();
    if (!label) return this.draw();
    talk.say({ type: 'choice', choice: `language.${id}-${script}`, text: label });
    this.frame.querySelector('select').focus();
  }

  // The way to a person, or back to the program when one is on the line.
  callPerson() {
    const { texts } = this.look;
    if (this.talk.person) this.talk.say({ type: 'choice', choice: 'operator.end', text: texts.w_person_end });
    else this.talk.say({ type: 'text', text: texts.w_person_word });
  }

  write(text = this.field.value.trim()) {
    this.field.focus();
    if (!text) return;
    this.field.value = this.talk.draft = '';
    this.talk.say({ type: 'text', text });
  }

  edit(item) {
    this.field.value = item.text;
    this.field.focus();
    this.talk.drop(item);
  }

  choose(accept) {
    this.files.accept = accept;
    this.files.click();
  }

  attach() {
    for (const file of [...this.files.files].slice(0, FILES_AT_ONCE_MAX)) {
      const mime = file.type || 'application/octet-stream';
      const kind = { image: 'photo', video: 'video' }[mime.split('/')[0]] || 'file';
      this.talk.say({ type: 'attachment', kind, mime, name: file.name, size: file.size, text: '' }, file);
    }
    this.files.value = '';
  }

  locate(note) {
    const { texts } = this.look;
    const refused = ({ code }) => {
      note.textContent = code == 1 ? texts.w_place_denied : texts.w_place_failed;
      this.field.focus();
    };
    note.textContent = texts.w_place_wait;
    if (!navigator.geolocation) return refused({});
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude } }) => this.talk.say({ type: 'location', latitude, longitude, text: texts.w_place }),
      refused,
      { enableHighAccuracy: true, timeout: LOCATION_TIMEOUT_MS, maximumAge: LOCATION_AGE_MAX_MS },
    );
  }

  // A new conversation ends this one, so it asks first, in the place of notices and not over the page.
  ask(asking) {
    this.asking = asking;
    this.draw();
    (asking ? this.banner.querySelector('button') : this.frame.querySelector('.new')).focus();
  }

  startAnew() {
    this.asking = false;
    this.nodes.clear();
    this.log.replaceChildren(this.tail);
    this.talk.clear();
    this.field.value = '';
    this.field.focus();
    this.talk.begin();
  }

  draw() {
    const { talk, dot, door } = this;
    dot.hidden = !talk.missed || door.shown;
    if (talk.missed) dot.textContent = this.plural(this.look.texts.w_unread, talk.missed);
    if (!this.frame || !door.shown) return;
    const { texts } = this.look;
    this.motto.textContent = talk.person ? texts.w_person_chat : texts.w_always;
    this.person.textContent = talk.person ? texts.w_person_end : texts.w_person;
    this.drawBanner();
    this.drawLog();
  }

  plural(forms, n) {
    return (forms[new Intl.PluralRules(this.door.tag).select(n)] || forms.other).replace('{n}', n);
  }

  drawBanner() {
    const { h, talk, pen, asking } = this;
    const { texts } = this.look;
    const trouble = !navigator.onLine ? 'w_offline' : (talk.waiting || !talk.token) && talk.trouble;
    const notice = asking ? 'w_new_ask' : trouble || (talk.person ? 'w_person_note' : '');
    if (notice == this.notice) return;
    this.notice = notice;
    this.banner.className = notice ? (trouble && !asking ? 'sw-banner' : 'sw-banner calm') : '';
    this.banner.replaceChildren();
    if (!notice) return;
    const icon = asking ? 'question' : notice == 'w_offline' ? 'offline' : trouble ? 'warning' : 'person';
    this.banner.append(pen.icon(icon), h('span', {}, texts[notice]));
    if (asking) this.banner.append(pen.button('go', '', texts.w_new_start, () => this.startAnew()), pen.button('', '', texts.w_new_keep, () => this.ask(false)));
  }

  // Small windows scroll as one page, others only the log.
  get scroller() {
    return getComputedStyle(this.log).overflowY == 'visible' ? this.frame : this.log;
  }

  drawLog() {
    const { talk, nodes, log, tail } = this;
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const near = scrollHeight - scrollTop - clientHeight < NEAR_END_PIXELS;
    const kept = new Set(talk.log.map(item => item.id));
    for (const [id, node] of nodes) {
      if (kept.has(id)) continue;
      node.remove();
      nodes.delete(id);
    }
    const lastSent = talk.log.filter(item => item.state == 'sent').pop();
    const fresh = [];
    let heard = {};
    let at = 0;
    for (const item of talk.log) {
      let node = nodes.get(item.id);
      if (!node) {
        node = this.place(item, heard, at);
        fresh.push(item);
      }
      if (item.from == 'citizen') this.refresh(node, item, item == lastSent);
      else heard = item;
      at = item.at;
    }
    this.drawTail();
    if (fresh.length) this.follow(fresh, near);
  }

  place(item, heard, at) {
    const { h, pen, talk, tail, nodes } = this;
    const day = !sameDay(at, item.at) && (at || this.door.data.full || !sameDay(item.at, Date.now())) && h('p', { class: 'sw-day', 'aria-live': 'off' }, pen.day(item.at));
    const node = h('div', {}, day, ...(item.from == 'citizen' ? [] : pen.heard(item, heard)));
    nodes.set(item.id, node);
    tail.before(node);
    return node;
  }

  // Only what changed is drawn again: a reader is told each thing once, and a focused button stays.
  refresh(node, item, last) {
    const { pen, talk } = this;
    if (node.text != item.text) {
      node.body?.remove();
      node.body = pen.said(item, talk.files.get(item.id), () => (talk.drop(item), this.field.focus()));
      node.append(node.body);
      node.text = item.text;
    }
    const sending = item.state == 'queued' && talk.files.has(item.id);
    node.body.progress?.(sending ? item.done || 0 : null);
    const state = item.state == 'failed' || (last && item.state == 'sent') || (item.state == 'queued' && !sending && (talk.trouble || !navigator.onLine)) ? item.state : '';
    if (node.state == state) return;
    node.state = state;
    node.line?.remove();
    node.line = state && pen.status(item, { retry: one => talk.retry(one), edit: one => this.edit(one) });
    if (state) node.append(node.line);
  }

  // Below the log: what can be pressed now, and that an answer is being written.
  drawTail() {
    const { h, talk, pen, tail } = this;
    const { texts } = this.look;
    const open = this.openQuestion();
    const typing = !talk.trouble && navigator.onLine && !talk.person && (talk.waiting || !talk.token);
    const drawn = `${open?.id}${typing}${talk.log.length}`;
    if (drawn == this.drawn) return;
    this.drawn = drawn;
    const held = tail.contains(this.door.root.activeElement);
    tail.replaceChildren();
    this.field.inputMode = { email: 'email', personal_number: 'numeric', quantity: 'numeric' }[open?.ask] || '';
    if (open) tail.append(...this.offers(open));
    if (typing) tail.append(h('p', { class: 'sw-type', 'aria-hidden': true }, h('span', { class: 'sw-dots' }, h('i'), h('i'), h('i')), talk.log.length ? texts.w_typing : texts.w_connecting));
    // The pressed choice is gone; the focus waits in the log, where the answer comes.
    if (held) this.log.focus({ preventScroll: true });
  }

  // The last message that asks something, unless the citizen has said something since.
  openQuestion() {
    for (const item of [...this.talk.log].reverse()) {
      if (item.from == 'citizen' && item.state != 'failed') return null;
      if (item.from != 'citizen' && (item.choices?.length || item.ask)) return item;
    }
    return null;
  }

  offers({ ask, choices = [] }) {
    const { h, talk, pen } = this;
    const { texts } = this.look;
    const offers = [];
    const note = h('p', { class: 'sw-type' });
    const go = (icon, label, act) => offers.push(h('div', { class: 'sw-choices' }, pen.button('go', icon, label, act)));
    if (ask == 'location') {
      go('pin', texts.w_send_place, () => this.locate(note));
      offers.push(note);
    }
    if (ask == 'photo') go('camera', texts.w_add_photo, () => this.choose('image/*,video/*'));
    if (ask == 'file') go('clip', texts.w_add_file, () => this.choose(''));
    if (ask == 'phone') offers.push(this.phoneForm());
    if (choices.length) offers.push(pen.choices(choices, ({ id, label }) => talk.say({ type: 'choice', choice: id, text: label })));
    return offers;
  }

  phoneForm() {
    const { h, pen, talk } = this;
    const { texts } = this.look;
    const number = h('input', { id: 'p', type: 'tel', autocomplete: 'tel', required: true });
    const send = event => {
      event.preventDefault();
      talk.say({ type: 'phone', phone: number.value.trim(), text: number.value });
    };
    const button = h('button', { class: 'b go' }, pen.icon('phone'), texts.w_send_phone);
    return h('form', { class: 'sw-phone sw-choices', onsubmit: send }, h('div', {}, h('label', { for: 'p' }, texts.w_phone), number), button);
  }

  // What came is shown from its beginning; whoever reads further up is not moved, only told.
  follow(fresh, near) {
    const { h, scroller } = this;
    const mine = fresh.some(item => item.from == 'citizen');
    if (!near && !mine) {
      this.pill?.remove();
      this.pill = h('button', { class: 'sw-new', type: 'button', onclick: () => this.reveal(fresh[0]) }, this.plural(this.look.texts.w_unread, fresh.length));
      return this.tail.after(this.pill);
    }
    if (mine) scroller.scrollTop = scroller.scrollHeight;
    else this.reveal(fresh[0]);
  }

  reveal({ id }) {
    const { scroller } = this;
    const first = this.nodes.get(id).firstElementChild;
    scroller.scrollTop += first.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 12;
    this.pill?.remove();
  }

  seen() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PIXELS) this.pill?.remove();
  }
}

export function panel(door, look) {
  const shown = new Panel(door, look);
  return () => shown.show();
}
