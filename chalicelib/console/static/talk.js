// What was said, what is still to be sent, and the road to the town's server. Draws nothing.
const LOG_ITEMS_MAX = 150;
const CALL_TIMEOUT_MS = 20_000;
const SEND_TRIES_MAX = 5;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;
const POLL_PERSON_MS = 2_000;
const POLL_FIRST_MS = 15_000;
const POLL_MAX_MS = 60_000;
const RECORD_KEPT_MS = 30 * 86_400_000;
const MASK = '••••••••';

// What the server answered instead of 2xx; `status` 0 = no answer at all, `wait` in milliseconds.
class Refusal extends Error {
  constructor(status, code, wait) {
    super(status);
    Object.assign(this, { status, code, wait });
  }
}

const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map(byte => byte.toString(16).padStart(2, '0')).join('');
const backoff = tries => Math.min(BACKOFF_FIRST_MS * 2 ** (tries - 1), BACKOFF_MAX_MS);

class Talk {
  constructor(door, changed) {
    Object.assign(this, { door, changed, files: new Map(), uploads: new Map(), trouble: '', pace: 0 });
    this.load();
    if (this.used < Date.now() - RECORD_KEPT_MS) this.clear();
    // A file lives in the page only: after a reload there is nothing left to send.
    for (const item of this.log) if (item.type == 'attachment' && item.state == 'queued') this.fail(item, 'w_file_lost', false);
    addEventListener('online', () => this.wake());
    addEventListener('offline', changed);
    addEventListener('storage', event => event.key == door.name && this.merge());
    document.addEventListener('visibilitychange', () => this.poll());
  }

  load() {
    const { log = [], token = '', last = '', round = 0, missed = 0, draft = '', used = Date.now() } = this.door.read();
    Object.assign(this, { log, token, last, round, missed, draft, used });
  }

  // Another tab of this browser wrote: its words are ours too, and what we are sending stays ours.
  merge() {
    const ours = new Map(this.log.map(item => [item.id, item]));
    this.load();
    this.log = this.log.map(item => {
      const own = ours.get(item.id);
      ours.delete(item.id);
      return own?.state == 'queued' && item.state != 'sent' ? own : Object.assign(own || {}, item);
    });
    this.log.push(...[...ours.values()].filter(item => item.state == 'queued'));
    this.changed();
  }

  save() {
    const { door, log, token, last, round, missed, draft } = this;
    log.splice(0, log.length - LOG_ITEMS_MAX);
    door.write({ log, token, last, round, missed, draft, used: Date.now() });
    this.changed();
  }

  clear() {
    Object.assign(this, { log: [], token: '', last: '', missed: 0, draft: '', trouble: '' });
    this.files.clear();
    this.save();
  }

  get heard() {
    return this.log.filter(item => item.from != 'citizen').pop() || {};
  }

  // A person is on the line from an operator's first word until the program speaks again.
  get person() {
    const { from, event } = this.heard;
    return event ? event == 'operator_joined' : from == 'operator';
  }

  // Has anything been said that could be answered later, and is somebody looking?
  get live() {
    return this.token && !document.hidden && this.log.some(item => item.state == 'sent');
  }

  get waiting() {
    return this.log.some(item => item.state == 'queued');
  }

  async begin() {
    if (this.beginning) return;
    this.beginning = true;
    for (let tries = 1; this.door.first || !this.token; tries++) {
      await this.openSession().catch(refusal => this.rest(backoff(tries), refusal));
    }
    this.beginning = false;
    this.pump();
    this.poll();
  }

  // `quiet`: an expired token is replaced under a running conversation; a new greeting would only confuse.
  async openSession(quiet) {
    const { door } = this;
    const early = await door.first;
    door.first = 0;
    const { token, messages } = await this.read(early || door.openSession());
    Object.assign(this, { token, last: '', round: this.round + 1 });
    door.write({ context: door.data.context });
    this.receive(messages, quiet);
  }

  say(words, file) {
    const masked = words.type == 'text' && this.heard.ask == 'personal_number';
    const item = { id: newId(), at: new Date().toISOString(), from: 'citizen', state: 'queued', masked, ...words };
    if (file) this.files.set(item.id, file);
    this.log.push(item);
    this.save();
    this.pump();
  }

  retry(item) {
    item.state = 'queued';
    this.save();
    this.wake();
  }

  drop(item) {
    item.state = 'dropped';
    this.uploads.get(item.id)?.abort();
    this.log = this.log.filter(other => other != item);
    this.save();
  }

  fail(item, why, again) {
    Object.assign(item, { state: 'failed', why, again });
  }

  // One message after another, in the order they were said; each keeps its id however often it is sent.
  async pump() {
    if (this.pumping || this.beginning) return;
    this.pumping = true;
    let tries = 0;
    for (let item; (item = this.log.find(one => one.state == 'queued')); ) {
      try {
        await this.deliver(item);
        tries = 0;
      } catch (refusal) {
        tries += 1;
        if (this.givesUp(item, refusal, tries)) tries = 0;
        else await this.rest(refusal.wait || backoff(tries), refusal);
      }
    }
    this.pumping = false;
    this.watch(true);
  }

  async deliver(item) {
    if (!this.token) await this.openSession(true);
    if (item.type == 'attachment' && !item.attachment) await this.upload(item);
    const { id, type, text, choice, latitude, longitude, attachment, phone } = item;
    const { messages } = await this.call('messages', { id, type, text, choice, latitude, longitude, attachment, phone });
    this.settle(item);
    this.receive(messages);
  }

  settle(item) {
    Object.assign(item, { state: 'sent', sent: new Date().toISOString() });
    if (item.masked) item.text = MASK;
    this.files.delete(item.id);
    this.save();
  }

  // Is there no sense in sending this message once more? Then it is marked, and the next one goes.
  givesUp(item, { status, code }, tries) {
    const file = item.type == 'attachment';
    if (status == 401 && tries < SEND_TRIES_MAX) {
      this.token = '';
      return false;
    }
    if (code == 'too_old') {
      this.settle(item);
      this.poll();
    } else if (item.state == 'queued') {
      const passing = status == 0 || status == 409 || status == 429 || status >= 500;
      if (passing && (status == 429 || !navigator.onLine || tries < SEND_TRIES_MAX)) return false;
      delete item.attachment;
      if (status == 413) this.fail(item, file ? 'w_file_too_large' : 'w_too_long');
      else if (status == 415 || (file && status == 422)) this.fail(item, 'w_file_refused');
      else if (status == 400 || status == 422) this.fail(item, 'w_refused');
      else this.fail(item, 'w_message_failed', true);
      this.trouble = '';
      this.save();
    }
    return true;
  }

  // A pause that ends early when the connection is back or somebody presses "again".
  rest(ms, { status }) {
    if (status != 401) this.trouble = status == 429 ? 'w_slow' : 'w_unavailable';
    this.save();
    return new Promise(done => {
      this.rouse = done;
      setTimeout(done, ms);
    });
  }

  wake() {
    this.rouse?.();
    this.changed();
    this.pump();
    this.poll();
  }

  // Ids are the server's and rise within one session only, so what is drawn is told apart by session and id.
  receive(messages, quiet) {
    const known = new Set(this.log.map(item => item.id));
    let news = 0;
    for (const message of messages) {
      if (message.id > this.last) this.last = message.id;
      const id = this.round + '/' + message.id;
      if (quiet || known.has(id) || message.from == 'citizen') continue;
      this.log.push({ ...message, id });
      news += 1;
    }
    if (!this.door.shown) this.missed += news;
    this.save();
    return news;
  }

  // News: every 2 s while a person is on the line and the chat is open, else 15 → 60 s, never while hidden.
  watch(fresh) {
    clearTimeout(this.timer);
    if (!this.live) return;
    const calm = fresh ? POLL_FIRST_MS : Math.max(POLL_FIRST_MS, Math.min(this.pace * 2, POLL_MAX_MS));
    this.pace = this.person && this.door.shown ? POLL_PERSON_MS : calm;
    this.timer = setTimeout(() => this.poll(), this.pace);
  }

  async poll() {
    this.watch();
    if (!this.live || this.pumping) return;
    try {
      const { messages } = await this.call('messages?after=' + encodeURIComponent(this.last));
      if (this.receive(messages)) this.watch(true);
    } catch ({ status }) {
      // The next word opens a new session; until then there is nothing to ask for.
      if (status == 401) this.token = '';
    }
  }

  async call(path, body) {
    const headers = { Authorization: 'Bearer ' + this.token };
    if (body) headers['Content-Type'] = 'application/json';
    const stop = new AbortController();
    const late = setTimeout(() => stop.abort(), CALL_TIMEOUT_MS);
    const asking = fetch(this.door.town + path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), signal: stop.signal });
    return this.read(asking).finally(() => clearTimeout(late));
  }

  async read(asking) {
    let response;
    let answer = {};
    try {
      response = await asking;
      answer = await response.json();
    } catch {
      // No answer, or one that is not ours (a gateway's page): the status tells.
    }
    if (!response) throw new Refusal(0);
    if (!response.ok) throw new Refusal(response.status, answer.error?.code, 1000 * response.headers.get('Retry-After'));
    if (answer.token) this.token = answer.token;
    this.trouble = '';
    return answer;
  }

  // Straight to the bucket with the form the server signed. XMLHttpRequest, because fetch does not tell progress.
  async upload(item) {
    const { attachment, upload } = await this.call('attachments', { name: item.name, type: item.mime, size: item.size });
    const form = new FormData();
    for (const key in upload.fields) form.append(key, upload.fields[key]);
    form.append('file', this.files.get(item.id));
    await new Promise((done, refuse) => {
      const wire = new XMLHttpRequest();
      this.uploads.set(item.id, wire);
      wire.upload.onprogress = event => {
        item.done = Math.round((100 * event.loaded) / event.total);
        this.changed();
      };
      // The bucket says 400 to a file larger than the form allows.
      wire.onload = () => (wire.status < 300 ? done() : refuse(new Refusal(wire.status == 400 ? 413 : wire.status)));
      wire.onerror = wire.onabort = () => refuse(new Refusal(0));
      wire.open('POST', upload.url);
      wire.send(form);
    });
    item.attachment = attachment;
  }
}
