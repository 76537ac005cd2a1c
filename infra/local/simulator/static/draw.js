// Drawing what stands in a Viber message: texts, media, carousels, keyboards. Knows nothing of the page around it.
"use strict";

const ICONS = {
  phone: '<rect x="7" y="2.5" width="10" height="19" rx="2"/><path d="M11 18.5h2"/>',
  ticks: '<path d="m2 12.5 4.5 4.500L14 8M11 16l1 1L21 7"/>',
  bad: '<path d="M12 3.500 22 20.500H2z"/><path d="M12 10v5M12 17.800v.2"/>',
  done: '<circle cx="12" cy="12" r="9"/><path d="m8 12.500 3 3 5.500-6.500"/>',
  clock: '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.500 2"/>',
  plus: '<path d="M12 5v14M5 12h14"/>',
  send: '<path d="M4 12 20 4l-5 16-3.500-6.500z"/><path d="M11.500 13.500 20 4"/>',
  pin: '<path d="M12 21s-7-6.200-7-11.500a7 7 0 0 1 14 0C19 14.800 12 21 12 21z"/><circle cx="12" cy="9.500" r="2.500"/>',
  photo: '<path d="M4 7h4l2-3h4l2 3h4v12H4z"/><circle cx="12" cy="13" r="3.500"/>',
  video: '<rect x="3" y="6" width="12" height="12" rx="1.500"/><path d="m15 11 6-3.500v9L15 13z"/>',
  file: '<path d="M6 3h8l4 4v14H6z"/><path d="M14 3v4h4M9 12h6M9 16h6"/>',
  smile: '<circle cx="12" cy="12" r="9"/><path d="M8 14c1 1.700 2.300 2.500 4 2.500s3-.8 4-2.500M9 9.500v.2M15 9.500v.2"/>',
  person: '<circle cx="12" cy="8" r="3.500"/><path d="M5 20c.600-4 3-6 7-6s6.400 2 7 6"/>',
  voice: '<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M6 12c0 3.500 2.500 5.500 6 5.500s6-2 6-5.500M12 17.500V21"/>',
  clip: '<path d="m20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700L9.500 17a1.600 1.600 0 0 1-2.300-2.300L14.500 7.500"/>',
  link: '<path d="M10 14a4 4 0 0 0 6 .400l3-3a4 4 0 0 0-5.700-5.700l-1.500 1.500"/><path d="M14 10a4 4 0 0 0-6-.400l-3 3a4 4 0 0 0 5.700 5.700l1.500-1.500"/>',
};
const SLAVIC = ["sr", "bs", "hr"];
const LIGHT_PAPER = "#ffffff";
const DARK_INK = "#1a2230";
const FONT_TAGS = ["B", "I", "U", "S", "BR", "FONT"];

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function icon(name) {
  const holder = document.createElement("template");
  holder.innerHTML = `<svg class="i" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${ICONS[name]}</svg>`;
  return holder.content.firstChild;
}

// The language of a passage: the citizen's, in the script that stands there.
function languageTag(citizen, text) {
  if (!SLAVIC.includes(citizen.language)) return citizen.language;
  const script = /[\u0400-\u04ff]/.test(text || "") ? "Cyrl" : "Latn";
  return `${citizen.language}-${script}` + (citizen.language === "sr" && citizen.country !== "RS" ? `-${citizen.country}` : "");
}

function clockTime(at) {
  return new Date(at * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

function withLinks(text) {
  const parts = String(text ?? "").split(/(https?:\/\/[^\s]+)/);
  return parts.map((part, place) => (place % 2 ? linkTo(part, part) : part));
}

function linkTo(address, label) {
  const web = /^https?:\/\//i.test(String(address));
  return web ? el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label) : el("span", {}, label);
}

// Viber's few tags, copied one by one from an inert document: anything else is only its text.
function richText(markup) {
  const parsed = new DOMParser().parseFromString(String(markup), "text/html");
  return copiedTags(parsed.body);
}

function copiedTags(from) {
  const copy = document.createDocumentFragment();
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) copy.append(child.data);
    else if (FONT_TAGS.includes(child.tagName)) copy.append(copiedTag(child));
    else if (child.nodeType === Node.ELEMENT_NODE) copy.append(copiedTags(child));
  }
  return copy;
}

function copiedTag(from) {
  const node = document.createElement(from.tagName === "FONT" ? "span" : from.tagName);
  if (from.tagName === "FONT") {
    node.style.color = from.getAttribute("color") || "";
    const size = Number(from.getAttribute("size"));
    if (size >= 12 && size <= 32) node.style.fontSize = `${size / 16}em`;
  }
  node.append(copiedTags(from));
  return node;
}

function thing(iconName, title, detail) {
  return el("div", { class: "thing" }, icon(iconName), el("div", {}, title, detail ? el("small", {}, detail) : null));
}

// What a message holds, apart from who sent it.
function content(body) {
  const caption = body.text ? el("p", { class: "caption" }, ...withLinks(body.text)) : null;
  switch (body.type) {
    case "text":
      return [el("p", {}, ...withLinks(body.text))];
    case "url":
      return [el("p", {}, linkTo(body.media, body.media || "a link"))];
    case "picture":
      return [body.media ? el("img", { src: body.media, alt: "Photo" }) : thing("photo", "Photo without a link"), caption];
    case "sticker":
      return [body.media ? el("img", { src: body.media, alt: `Sticker ${body.sticker_id}` }) : thing("smile", `Sticker ${body.sticker_id}`)];
    case "video":
      return [thing("video", linkTo(body.media, "Video"), `${body.duration ?? "?"} s, ${kilobytes(body.size)}`), caption];
    case "file":
      return [thing("file", linkTo(body.media, body.file_name || "File"), kilobytes(body.size)), caption];
    case "location":
      return [thing("pin", "Location", `${body.location?.lat}, ${body.location?.lon}`)];
    case "contact":
      return [thing("person", body.contact?.name || "Contact", body.contact?.phone_number)];
    default:
      return [thing("voice", `${body.type || "message"} (the simulator does not draw it)`)];
  }
}

function kilobytes(size) {
  return size >= 0 ? `${Math.max(1, Math.round(size / 1024)).toLocaleString("en-GB")} kB` : "size unknown";
}

function carousel(body, cards, press) {
  const board = body.rich_media || {};
  const columns = board.ButtonsGroupColumns || 6;
  const drawn = cards.map((buttons) => {
    const card = el("div", { class: "card" }, ...buttons.map((button) => keyboardButton(button, columns, press)));
    card.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    if (board.BgColor) card.style.backgroundColor = board.BgColor;
    return card;
  });
  return el("div", { class: "cards", role: "group", "aria-label": "Cards", tabindex: "0" }, ...drawn);
}

function keyboardButton(button, columns, press) {
  const classes = ["kb", button.TextSize, button.TextHAlign, button.TextVAlign].filter((name) => name && name !== "regular" && name !== "center" && name !== "middle");
  const actions = { "location-picker": "pin", "share-phone": "phone", "open-url": "link" };
  const decoration = button.ActionType === "none";
  const node = el(decoration ? "div" : "button", { class: classes.join(" ") + (decoration ? " plain" : ""), type: decoration ? null : "button", onclick: decoration ? () => {} : () => press(button) });
  node.style.gridColumn = `span ${Math.min(button.Columns || columns, columns)}`;
  node.style.gridRow = `span ${button.Rows || 1}`;
  // Stated colours are meant for Viber's light keyboard: they keep its paper and ink in a dark scheme too.
  if (button.BgColor || /<font[^>]*color/i.test(button.Text || "")) {
    node.style.backgroundColor = button.BgColor || LIGHT_PAPER;
    node.style.color = DARK_INK;
  }
  const picture = button.Image || button.BgMedia;
  if (picture) node.append(el("img", { src: picture, alt: "" }));
  const sign = actions[button.ActionType] ? icon(actions[button.ActionType]) : null;
  node.append(el("span", {}, sign, richText(button.Text || (picture ? "" : button.ActionBody))));
  return node;
}
