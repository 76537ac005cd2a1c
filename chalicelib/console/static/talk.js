// What was said, what is still to be sent, and the road to the town's server. Draws nothing.
// There is one chat on a page, so its state is the module's own; `door` is what the loader handed over.
const LOG_ITEMS_MAX = 150;
const CALL_TIMEOUT_MS = 20_000;
const SEND_TRIES_MAX = 5;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 60_000;
const POLL_PERSON_MS = 2_000;
const POLL_FIRST_MS = 15_000;
const POLL_MAX_MS = 60_000;
const RECORD_KEPT_MS = 30 * 86_400_000;
// Refused for good: what is said of words, and of a file.
const TOO_LARGE = ['w_too_long', 'w_file_too_large'];
const REFUSED = ['w_refused', 'w_file_refused'];
const FINAL = { 400: REFUSED, 413: TOO_LARGE, 415: REFUSED, 422: REFUSED };
const MASK = '••••••••';

let door;
let log;
let token;
let last;
let round;
let missed;
let draft;
let shown = false;
let trouble = '';
let pace = 0;
let timer;
let rouse;
let beginning;
let pumping;
const files = new Map();
const uploads = new Map();

const backoff = tries => Math.min(BACKOFF_FIRST_MS * 2 ** (tries - 1), BACKOFF_MAX_MS);
const offline = () => !navigator.onLine;
const waiting = () => log.some(item => item.state == 'queued');
const isOurs = item => item.from == 'citizen';
const heard = () => log.filter(item => !isOurs(item)).pop() || {};
// A person is on the line from an operator's first word until the program speaks again.
const personOnLine = () => /operator(_joined)?$/.test(heard().event || heard().from);

function startTalk() {
  if (door.read().used < Date.now() - RECORD_KEPT_MS) clear();
  load();
  // A file lives in the page only: after a reload there is nothing left to send.
  for (const item of log) if (item.type == 'attachment' && item.state == 'queued') fail(item, 'w_file_lost');
  addEventListener('online', wake);
  addEventListener('offline', draw);
  addEventListener('storage', event => event.key == door.name && merge());
  document.addEventListener('visibilitychange', poll);
}

function load() {
  ({ log = [], token, last = '', round = 0, missed = 0, draft = '' } = door.read());
}

// Another tab of this browser wrote: its words are ours too, and what we are sending stays ours.
function merge() {
  const ours = new Map(log.map(item => [item.id, item]));
  load();
  log = log.map(item => {
    const own = ours.get(item.id);
    ours.delete(item.id);
    return own?.state == 'queued' && item.state != 'sent' ? own : Object.assign(own || {}, item);
  });
  log.push(...[...ours.values()].filter(item => item.state == 'queued'));
  draw();
}

function save() {
  log.splice(0, log.length - LOG_ITEMS_MAX);
  door.write({ log, token, last, round, missed, draft, used: Date.now() });
  draw();
}

function clear() {
  log = [];
  token = last = trouble = draft = '';
  missed = 0;
  save();
}

async function begin() {
  if (beginning) return;
  beginning = true;
  for (let tries = 1; door.first || !token; tries++) await openSession().catch(refusal => rest(backoff(tries), refusal));
  beginning = false;
  pump();
  poll();
}

// `quiet`: an expired token is replaced under a running conversation; a new greeting would only confuse.
async function openSession(quiet) {
  const early = await door.first;
  door.first = 0;
  const { messages } = await read(early || door.openSession());
  last = '';
  round += 1;
  door.write({ context: door.data.context });
  receive(messages, quiet);
}

function say(words, file) {
  const id = Date.now().toString(36) + '-' + Math.random().toString(36).slice(2);
  const masked = words.type == 'text' && heard().ask == 'personal_number';
  if (file) files.set(id, file);
  log.push({ id, at: new Date().toISOString(), from: 'citizen', state: 'queued', masked, ...words });
  save();
  pump();
}

function retry(item) {
  item.state = 'queued';
  wake();
}

function drop(item) {
  item.state = 'dropped';
  uploads.get(item.id)?.abort();
  log = log.filter(other => other != item);
  save();
}

function fail(item, why, again) {
  Object.assign(item, { state: 'failed', why, again });
}

// One message after another, in the order they were said; each keeps its id however often it is sent.
async function pump() {
  if (pumping || beginning) return;
  pumping = true;
  let tries = 0;
  for (let item; (item = log.find(one => one.state == 'queued')); ) {
    try {
      await deliver(item);
      tries = 0;
    } catch (refusal) {
      // A bug of ours in drawing must not be taken for the network's.
      if (refusal.stack) console.error(refusal);
      tries += 1;
      if (givesUp(item, refusal, tries)) tries = 0;
      else await rest(refusal.status == 401 ? 0 : refusal.wait || backoff(tries), refusal);
    }
  }
  pumping = false;
  watch(true);
}

async function deliver(item) {
  if (!token) await openSession(true);
  if (item.type == 'attachment' && !item.attachment) await upload(item);
  // What is drawn of a place or a file is not what is said.
  const { id, type, choice, latitude, longitude, attachment, phone } = item;
  const text = /text|choice/.test(type) ? item.text : undefined;
  const { messages } = await call('messages', { id, type, text, choice, latitude, longitude, attachment, phone });
  settle(item);
  // A new conversation may have been begun meanwhile: the old one's answer is not for it.
  if (log.includes(item)) receive(messages);
}

function settle(item) {
  item.state = 'sent';
  item.sent = new Date().toISOString();
  if (item.masked) item.text = MASK;
  files.delete(item.id);
  save();
}

// Is there no sense in sending this message once more? Then it is marked, and the next one goes.
function givesUp(item, { status, code }, tries) {
  if (item.state != 'queued') return true;
  if (code == 'too_old') {
    settle(item);
    poll();
    return true;
  }
  if (status == 401) token = '';
  const passing = !status || [401, 409, 429].includes(status) || status >= 500;
  if (passing && (status == 429 || offline() || tries < SEND_TRIES_MAX)) return false;
  const why = FINAL[status]?.[item.type == 'attachment' ? 1 : 0];
  fail(item, why || 'w_message_failed', !why);
  item.attachment = undefined;
  trouble = '';
  save();
  return true;
}

// A pause that ends early when the connection is back or somebody presses "again".
function rest(ms, { status }) {
  if (status != 401) trouble = status == 429 ? 'w_slow' : 'w_unavailable';
  save();
  return new Promise(done => {
    rouse = done;
    setTimeout(done, ms);
  });
}

function wake() {
  rouse?.();
  save();
  pump();
  poll();
}

// Ids are the server's and rise within one session only, so what is drawn is told apart by session and id.
function receive(messages, quiet) {
  const known = new Set(log.map(item => item.id));
  const before = log.length;
  for (const message of messages) {
    if (message.id > last) last = message.id;
    const id = round + '/' + message.id;
    if (!quiet && !known.has(id) && !isOurs(message)) log.push({ ...message, id });
  }
  const news = log.length - before;
  if (!shown) missed += news;
  save();
  return news;
}

// Has anything been said that could be answered later, and is somebody looking?
const isLive = () => token && !document.hidden && log.some(item => item.state == 'sent');

// News: every 2 s while a person is on the line and the chat is open, else 15 → 60 s, never while hidden.
function watch(fresh) {
  clearTimeout(timer);
  if (!isLive()) return;
  pace = personOnLine() && shown ? POLL_PERSON_MS : fresh ? POLL_FIRST_MS : Math.max(POLL_FIRST_MS, Math.min(pace * 2, POLL_MAX_MS));
  timer = setTimeout(poll, pace);
}

async function poll() {
  watch();
  if (!isLive() || pumping) return;
  try {
    const { messages } = await call('messages?after=' + encodeURIComponent(last));
    if (receive(messages)) watch(true);
  } catch ({ status }) {
    // The next word opens a new session; until then there is nothing to ask for.
    if (status == 401) token = '';
  }
}

function call(path, body) {
  const headers = { Authorization: 'Bearer ' + token, ...(body && { 'Content-Type': 'application/json' }) };
  const signal = AbortSignal.timeout?.(CALL_TIMEOUT_MS);
  return read(fetch(door.town + path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), signal }));
}

// The answer, or thrown: `status` (nothing when no answer came), `code`, `wait` in milliseconds.
async function read(asking) {
  let response;
  let answer = {};
  try {
    response = await asking;
    answer = await response.json();
  } catch {
    // No answer, or one that is not ours (a gateway's page): the status tells.
  }
  if (!response?.ok) throw { status: response?.status, code: answer.error?.code, wait: 1000 * response?.headers.get('Retry-After') };
  token = answer.token || token;
  trouble = '';
  return answer;
}

// Straight to the bucket with the form the server signed. XMLHttpRequest, because fetch does not tell progress.
async function upload(item) {
  const { attachment, upload: form } = await call('attachments', { name: item.name, type: item.mime, size: item.size });
  const body = new FormData();
  for (const key in form.fields) body.append(key, form.fields[key]);
  body.append('file', files.get(item.id));
  await new Promise((done, refuse) => {
    const wire = new XMLHttpRequest();
    uploads.set(item.id, wire);
    wire.upload.onprogress = event => {
      item.done = Math.round((100 * event.loaded) / event.total);
      draw();
    };
    // The bucket says 400 to a file larger than the form allows.
    wire.onload = () => (wire.status < 300 ? done() : refuse({ status: wire.status == 400 ? 413 : wire.status }));
    wire.onerror = wire.onabort = () => refuse({});
    wire.open('POST', form.url);
    wire.send(body);
  });
  item.attachment = attachment;
}
