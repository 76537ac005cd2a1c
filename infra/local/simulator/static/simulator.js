// The page of one account: a phone for each citizen, the controls beside them. Asks for the state every second.
"use strict";

const POLL_MS = 1000;
const NEAR_THE_END_PX = 60;
const account = location.pathname.split("/")[1];
const phones = new Map(); // citizen's key -> what is drawn of the phone
let latest = null;

const byId = (id) => document.getElementById(id);

// --- talking to the simulator -------------------------------------------------------------------------------------

const GONE = "The simulator does not answer. It is asked again every second; nothing typed here is lost.";

async function call(path, options) {
  try {
    const answer = await fetch(path, options);
    const told = await answer.json();
    // What an action was refused for stays until the next action; polling only clears its own complaint.
    if (!answer.ok) trouble(told.error.message);
    else if (options || byId("trouble").textContent === GONE) trouble(null);
    return answer.ok ? told : null;
  } catch {
    trouble(GONE);
    return null;
  }
}

function post(path, told) {
  return call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(told) });
}

// The callback may take seconds, so the phone is drawn again at once and not only when it has come back.
async function act(key, verb, told = {}) {
  const done = post(`/${account}/citizens/${key}/${verb}`, told);
  setTimeout(refresh, 60);
  const answer = await done;
  await refresh();
  return answer;
}

function trouble(says) {
  const note = byId("trouble");
  note.hidden = !says;
  if (note.textContent !== (says || "")) note.textContent = says || "";
}

async function refresh() {
  const state = await call(`/${account}/state`);
  if (!state) return;
  latest = state;
  for (const citizen of state.citizens) drawPhone(citizen, state.title);
  drawControls(state);
}

// --- a phone -----------------------------------------------------------------------------------------------------------

function drawPhone(citizen, title) {
  let phone = phones.get(citizen.key);
  if (!phone) {
    phone = newPhone(citizen);
    phones.set(citizen.key, phone);
    byId("phones").append(phone.node);
    byId("who").append(el("option", { value: citizen.key }, citizen.name));
    if (phones.size === 1) showActing();
  }
  if (phone.version === citizen.version && !unsettled(citizen)) return;
  phone.version = citizen.version;
  phone.citizen = citizen;
  const sender = citizen.thread.findLast((line) => !line.mine && line.body.sender)?.body.sender.name;
  phone.sender.textContent = sender || title;
  phone.about.textContent = about(citizen);
  drawThread(phone, citizen);
  drawKeyboard(phone, citizen);
}

function unsettled(citizen) {
  return citizen.thread.some((line) => line.mine && line.state !== "delivered");
}

function about(citizen) {
  const script = SLAVIC.includes(citizen.language) ? `, ${citizen.script === "cyrillic" ? "Cyrillic" : "Latin"}` : "";
  const level = citizen.api_version === 10 ? "" : `, level ${citizen.api_version}`;
  return `${citizen.name} · ${citizen.language}-${citizen.country}${script}${level}${citizen.device === "desktop" ? ", desktop" : ""}`;
}

function newPhone(citizen) {
  const key = citizen.key;
  const phone = { key, citizen, version: null, lines: new Map(), keyboard: undefined };
  phone.sender = el("span", {});
  phone.about = el("small", { lang: "en" });
  phone.log = el("div", { class: "vlog", role: "log", "aria-label": `${citizen.name}: conversation`, tabindex: "0" });
  watchEnd(phone);
  phone.ask = el("form", { class: "vask", hidden: true });
  phone.more = moreButtons(phone);
  phone.talk = composer(phone);
  phone.kbd = el("div", { class: "kbd", role: "group", "aria-label": `${citizen.name}: keyboard`, hidden: true });
  phone.node = el(
    "section",
    { class: "phone", "aria-label": citizen.name, onfocusin: () => chooseActing(key) },
    el("div", { class: "vhead" }, icon("phone"), el("div", {}, phone.sender, phone.about)),
    phone.log, phone.ask, phone.more, phone.talk, phone.kbd,
  );
  return phone;
}

function composer(phone) {
  const { key, citizen } = phone;
  const id = `text-${key}`;
  phone.text = el("textarea", { id, rows: "1", lang: languageTag(citizen, citizen.script === "cyrillic" ? "ћ" : "") });
  phone.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      say(phone);
    }
  });
  const more = el("button", { class: "icon", type: "button", "aria-label": "Send something else", "aria-expanded": "false", onclick: () => {
    phone.more.hidden = !phone.more.hidden;
    more.setAttribute("aria-expanded", String(!phone.more.hidden));
  } }, icon("plus"));
  phone.moreSwitch = more;
  return el(
    "form",
    { class: "vtalk", onsubmit: (event) => { event.preventDefault(); say(phone); } },
    more,
    el("div", {}, el("label", { class: "vh", for: id }, `Message as ${citizen.name}`), phone.text),
    el("button", { class: "icon send", type: "submit", "aria-label": "Send" }, icon("send")),
  );
}

async function say(phone) {
  const text = phone.text.value;
  if (!text.trim()) return;
  phone.text.value = "";
  if (!(await act(phone.key, "say", { text })) && !phone.text.value) phone.text.value = text;
}

function moreButtons(phone) {
  const choice = (name, label, run) => el("button", { class: "btn", type: "button", onclick: () => { closeMore(phone); run(); } }, icon(name), label);
  const own = el("input", { type: "file", hidden: true, "aria-label": "Your own file", onchange: () => sendOwnFile(phone, own) });
  return el(
    "div",
    { class: "vmore", hidden: true },
    choice("pin", "Location", () => askForPlace(phone, (place) => act(phone.key, "location", place))),
    choice("photo", "Photo", () => act(phone.key, "picture")),
    choice("video", "Video", () => act(phone.key, "video")),
    choice("file", "PDF", () => act(phone.key, "file")),
    choice("smile", "Sticker", () => act(phone.key, "sticker")),
    choice("person", "Contact", () => act(phone.key, "contact", { name: "Somebody Else", phone_number: "38160999888" })),
    choice("voice", "Voice", () => act(phone.key, "voice")),
    choice("clip", "Own file…", () => own.click()),
    own,
  );
}

function closeMore(phone) {
  phone.more.hidden = true;
  phone.moreSwitch.setAttribute("aria-expanded", "false");
}

async function sendOwnFile(phone, input) {
  const [file] = input.files;
  input.value = "";
  if (!file) return;
  await call(`/${account}/citizens/${phone.key}/upload?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
  await refresh();
}

// --- the thread ------------------------------------------------------------------------------------------------------

function drawThread(phone, citizen) {
  const log = phone.log;
  if (!citizen.thread.length) {
    if (!log.querySelector(".vempty")) log.replaceChildren(emptyChat(phone));
    return;
  }
  log.querySelector(".vempty")?.remove();
  for (const line of citizen.thread) drawLine(phone, citizen, line);
  const kept = new Set(citizen.thread.map((line) => line.number));
  for (const [number, drawn] of phone.lines) {
    if (!kept.has(number)) {
      drawn.nodes.forEach((node) => node.remove());
      phone.lines.delete(number);
    }
  }
  followEnd(phone);
}

// The newest line stays in sight, whatever loads or opens, until the reader scrolls up.
function followEnd(phone) {
  if (phone.atEnd) phone.log.scrollTop = phone.log.scrollHeight;
}

function watchEnd(phone) {
  const { log } = phone;
  phone.atEnd = true;
  let before = 0;
  log.addEventListener("scroll", () => {
    const near = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_THE_END_PX;
    if (near || log.scrollTop < before) phone.atEnd = near;
    before = log.scrollTop;
  });
  log.addEventListener("load", () => followEnd(phone), true);
  new ResizeObserver(() => followEnd(phone)).observe(log);
}

function emptyChat(phone) {
  return el(
    "div",
    { class: "vempty", lang: "en" },
    el("p", {}, "Nobody has written yet."),
    el("button", { class: "btn", type: "button", onclick: () => { phone.log.focus(); act(phone.key, "open"); } }, "Open the chat"),
    el("p", { class: "small" }, "As Viber’s Message button does: the bot may greet. Or write first."),
  );
}

// Lines are drawn once; later only what changed is replaced, so that a screen reader hears each message once.
function drawLine(phone, citizen, line) {
  const drawn = phone.lines.get(line.number);
  const status = statusOf(line);
  if (!drawn) {
    const nodes = [bubble(phone, citizen, line), status].filter(Boolean);
    phone.log.append(...nodes);
    phone.lines.set(line.number, { nodes, says: status?.textContent });
  } else if (drawn.says !== status?.textContent) {
    const [first, old] = drawn.nodes;
    old?.remove();
    if (status) first.after(status);
    phone.lines.set(line.number, { nodes: [first, status].filter(Boolean), says: status?.textContent });
  }
}

function bubble(phone, citizen, line) {
  const { body } = line;
  if (line.silent) return el("p", { class: "pressed", lang: languageTag(citizen, line.remark) }, `pressed: ${line.remark || body.text}`);
  if (line.cards) return carousel(body, line.cards, (button) => press(phone, button));
  const classes = ["m", line.mine ? "mine" : "", body.type === "sticker" ? "sticker" : ""].filter(Boolean);
  return el("div", { class: classes.join(" "), lang: languageTag(citizen, body.text) }, ...content(body));
}

function statusOf(line) {
  if (!line.mine) return botStatus(line);
  const time = clockTime(line.at);
  const tries = line.tries > 1 ? `, ${line.tries} times` : "";
  const said = line.status ? `HTTP ${line.status}` : "no answer";
  const faces = {
    delivered: ["", "ticks", `${time} · ${line.status} in ${line.milliseconds} ms${tries}`],
    sending: ["", "clock", `${time} · sending`],
    held: ["odd", "clock", `${time} · held back`],
    waiting: ["bad", "bad", `${time} · ${said}${tries}, comes again`],
    lost: ["bad", "bad", `${time} · ${said}${tries}, given up`],
    unheard: ["odd", "bad", `${time} · the bot has no webhook`],
  };
  const [look, sign, says] = faces[line.state] || faces.sending;
  return el("p", { class: `st ${look}`, lang: "en" }, icon(sign), says);
}

function botStatus(line) {
  if (line.state === "failed") return el("p", { class: "st bot bad", lang: "en" }, icon("bad"), `the app refused it: ${line.remark}`);
  return line.remark ? el("p", { class: "st bot odd", lang: "en" }, icon("bad"), line.remark) : null;
}

// --- the keyboard --------------------------------------------------------------------------------------------------------

function drawKeyboard(phone, citizen) {
  const now = JSON.stringify(citizen.keyboard);
  if (phone.keyboard === now) return;
  phone.keyboard = now;
  const hadFocus = phone.kbd.contains(document.activeElement);
  const buttons = citizen.keyboard?.Buttons || [];
  phone.kbd.hidden = !buttons.length;
  phone.kbd.lang = languageTag(citizen, buttons.map((button) => button.Text).join(" "));
  phone.kbd.style.backgroundColor = citizen.keyboard?.BgColor || "";
  phone.kbd.replaceChildren(...buttons.map((button) => keyboardButton(button, 6, (pressed) => press(phone, pressed))));
  phone.talk.hidden = citizen.keyboard?.InputFieldState === "hidden";
  if (phone.talk.hidden) closeMore(phone);
  if (hadFocus) (phone.kbd.querySelector("button") || phone.log).focus();
}

function press(phone, button) {
  const send = (withIt) => act(phone.key, "press", { button, ...withIt });
  switch (button.ActionType) {
    case "location-picker":
      return phone.citizen.device === "desktop" ? trouble("A desktop has no location to share.") : askForPlace(phone, send);
    case "share-phone":
      return phone.citizen.device === "desktop" ? trouble("A desktop has no number to share.") : askForNumber(phone, send);
    case "open-url":
      window.open(button.ActionBody, "_blank", "noopener,noreferrer");
      return send();
    default:
      return send();
  }
}

function askForPlace(phone, then) {
  ask(phone, "Share a location", { latitude: ["Latitude", phone.citizen.latitude], longitude: ["Longitude", phone.citizen.longitude] }, (told) =>
    then({ latitude: Number(told.latitude), longitude: Number(told.longitude) }));
}

function askForNumber(phone, then) {
  ask(phone, "Share your phone number with the bot?", { phone_number: ["Phone number", phone.citizen.phone_number] }, then);
}

function ask(phone, title, fields, then) {
  const back = document.activeElement;
  const close = () => { phone.ask.hidden = true; phone.ask.replaceChildren(); if (back?.isConnected) back.focus(); else phone.log.focus(); };
  const inputs = Object.entries(fields).map(([name, [label, value]]) => {
    const id = `ask-${phone.key}-${name}`;
    return el("div", {}, el("label", { for: id }, label), el("input", { id, name, value, inputmode: "decimal", autocomplete: "off", required: true }));
  });
  phone.ask.lang = "en";
  phone.ask.replaceChildren(
    el("h3", {}, title),
    el("div", { class: "add-fields" }, ...inputs),
    el("div", { class: "row" }, el("button", { class: "btn go", type: "submit" }, "Share"), el("button", { class: "btn", type: "button", onclick: close }, "Cancel")),
  );
  phone.ask.onsubmit = (event) => {
    event.preventDefault();
    const told = Object.fromEntries(new FormData(phone.ask));
    close();
    then(told);
  };
  phone.ask.hidden = false;
  phone.ask.querySelector("input").focus();
}

// --- the controls -------------------------------------------------------------------------------------------------------

function drawControls(state) {
  for (const radio of document.querySelectorAll("[name=mode]")) radio.checked = radio.value === state.mode;
  byId("delivered").checked = state.delivered;
  byId("seen").checked = state.seen;
  setText("mode-says", modeSays(state));
  setText("webhook", webhookSays(state.webhook));
  drawCallback(state.callback, state.receipts);
  drawCalls(state);
  const citizen = acting();
  if (citizen) setText("leave", citizen.subscribed ? "Leave the chat" : "Receive messages");
}

function modeSays(state) {
  if (state.mode === "custom") return `Set by hand: ${state.faults.map((fault) => [fault.kind, fault.code, fault.calls && `${fault.calls} calls`].filter(Boolean).join(" ")).join("; ")}. Normal clears it.`;
  const words = {
    normal: "The bot’s calls are answered at once.",
    slow: "The bot’s calls are answered after 8 seconds.",
    fails: "The bot’s calls are answered with HTTP 500.",
    twice: "Each callback is delivered twice.",
  };
  return words[state.mode];
}

function webhookSays(webhook) {
  if (!webhook) return "The bot has no webhook: nobody hears what is written.";
  return `The bot hears: message, subscribed, unsubscribed${webhook.events.map((name) => `, ${name}`).join("")}.`;
}

function drawCallback(callback, receipts) {
  const says = callback ? JSON.stringify([callback, receipts]) : "";
  const box = byId("callback");
  if (box.dataset.says === says || !callback) return;
  box.dataset.says = says;
  const last = callback.tries.at(-1);
  const good = callback.state === "delivered";
  const token = callback.message_token || "";
  const who = latest.citizens.find((citizen) => citizen.id === callback.citizen);
  const facts = [
    `event: ${callback.event}`,
    who && `from: ${who.name}`,
    token && `token: "${token.slice(0, 4)}…${token.slice(-4)}"`,
    `signature: ${callback.signature ? callback.signature.slice(0, 8) + "…" : "none"}`,
    callback.tries.length > 1 && `delivered: ${callback.tries.map((one) => one.status ?? "no answer").join(", ")}`,
  ].filter(Boolean);
  const wasOpen = box.querySelector("details")?.open;
  box.replaceChildren(
    el("p", {}, el("span", { class: `state ${good ? "done" : callback.state === "sending" || callback.state === "held" ? "wait" : "late"}` }, icon(good ? "done" : last ? "bad" : "clock"), last ? `${last.status ?? "no answer"} in ${last.milliseconds} ms` : callback.state)),
    el("pre", { tabindex: "0", "aria-label": "Last callback" }, facts.join("\n")),
    receipts.length ? el("p", { class: "then small muted" }, "then", ...receipts.map((one) => el("span", {}, `${one.event} ${one.tries.at(-1)?.status ?? "no answer"}`))) : "",
    el("details", { open: wasOpen }, el("summary", {}, "Body and answer"), el("pre", { tabindex: "0", "aria-label": "Body" }, pretty(callback.body)), last?.answer ? el("pre", { tabindex: "0", "aria-label": "Answer" }, pretty(last.answer)) : null),
  );
}

function pretty(text) {
  // Only laid out, never parsed into numbers: a token has more digits than a number here can hold.
  return text.replace(/,"/g, ',\n"');
}

function drawCalls(state) {
  const says = JSON.stringify(state.calls);
  const list = byId("calls");
  if (list.dataset.says === says || !state.calls.length) return;
  list.dataset.says = says;
  list.replaceChildren(...state.calls.map((one) => callLine(one, state.citizens)));
}

function callLine(one, citizens) {
  const names = one.receivers.map((id) => citizens.find((citizen) => citizen.id === id)?.name || "somebody unknown");
  const whom = names.length > 2 ? ` to ${names.length} people` : names.length ? ` to ${names.join(", ")}` : "";
  const look = one.accepted ? "done" : "late";
  const outcome = one.accepted ? "accepted" : one.status === null ? "not accepted" : `status ${one.status}`;
  const why = [one.fault && `fault: ${one.fault}`, ...one.problems.map((problem) => problem.says)].filter(Boolean);
  return el("li", {}, el("span", { class: `state ${look}` }, icon(one.accepted ? "done" : "bad"), outcome), ` ${one.method}${whom}`, ...why.map((says) => el("p", { class: "why" }, says)));
}

function setText(id, says) {
  if (byId(id).textContent !== says) byId(id).textContent = says;
}

// --- acting as one of them ----------------------------------------------------------------------------------------------------

function acting() {
  return latest?.citizens.find((citizen) => citizen.key === byId("who").value);
}

function chooseActing(key) {
  if (byId("who").value === key) return;
  byId("who").value = key;
  showActing();
}

function showActing() {
  const citizen = acting();
  if (!citizen) return;
  byId("latitude").value = citizen.latitude;
  byId("longitude").value = citizen.longitude;
  byId("phone-number").value = citizen.phone_number;
  setText("leave", citizen.subscribed ? "Leave the chat" : "Receive messages");
}

function openDeepLink(event) {
  event.preventDefault();
  const citizen = acting();
  const given = byId("context").value.trim();
  if (!citizen) return;
  const query = given.startsWith("viber:") ? new URLSearchParams(given.split("?")[1] || "") : null;
  if (query?.get("text")) phones.get(citizen.key).text.value = query.get("text");
  const context = query ? query.get("context") : given;
  act(citizen.key, "open", context ? { context } : {});
}

function showAddForm(shown) {
  byId("add").hidden = !shown;
  byId("add-open").setAttribute("aria-expanded", String(shown));
  (shown ? byId("add-name") : byId("add-open")).focus();
}

async function addCitizen(event) {
  event.preventDefault();
  const { home, ...told } = Object.fromEntries(new FormData(byId("add")));
  const [language, country] = home.split("-");
  const like = latest?.citizens[0];
  const place = like ? { latitude: like.latitude, longitude: like.longitude } : {};
  const number = `38160000${String(1000 + phones.size).slice(-4)}`;
  const added = await post(`/${account}/citizens`, { ...told, ...place, phone_number: number, language, country });
  if (!added) return;
  byId("add").reset();
  showAddForm(false);
  await refresh();
  phones.get(added.key).text.focus();
}

function listen() {
  byId("modes").addEventListener("change", (event) => post("/control", { account, mode: event.target.value }).then(refresh));
  for (const name of ["delivered", "seen"]) {
    byId(name).addEventListener("change", (event) => post("/control", { account, [name]: event.target.checked }).then(refresh));
  }
  byId("who").addEventListener("change", showActing);
  byId("deep-link").addEventListener("submit", openDeepLink);
  for (const [id, name] of [["latitude", "latitude"], ["longitude", "longitude"], ["phone-number", "phone_number"]]) {
    byId(id).addEventListener("change", (event) => act(byId("who").value, "change", { [name]: event.target.value }));
  }
  byId("leave").addEventListener("click", () => act(byId("who").value, acting()?.subscribed ? "unsubscribe" : "subscribe"));
  byId("add-open").addEventListener("click", () => showAddForm(byId("add").hidden));
  byId("add-close").addEventListener("click", () => showAddForm(false));
  byId("add").addEventListener("submit", addCitizen);
  byId("context").value = new URLSearchParams(location.search).get("context") || "";
}

async function keepLooking() {
  if (!document.hidden) await refresh();
  setTimeout(keepLooking, POLL_MS);
}

listen();
keepLooking();
