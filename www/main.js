/** @file The shell: a header around the element, and the address that follows it. */

import { listenToHost } from "./embed.js";
import { keepForLater } from "./offline.js";
import { textsOf } from "./state.js";
import { LANGUAGE_NAMES, languageFor, languages, textOr, translator, whenThere } from "./ui/texts.js";
import "./tealight-playground.js";

/** @import {TealightPlayground} from "./tealight-playground.js" */

const THEMES = ["auto", "light", "dark"];
/** Browsers refuse an address that changes more than some hundred times in half a minute. */
const ADDRESS_EVERY = 350;

const playground = /** @type {TealightPlayground} */ (document.querySelector("tealight-playground"));
const [language, theme, help, gallery, share] = ["language", "theme", "help", "gallery", "share"].map((id) => /** @type {HTMLButtonElement} */ (document.getElementById(id)));

/** What the visitor chose the last time; storage may be forbidden, as in a sandboxed frame. @param {string} key */
function remembered(key) {
  try {
    return localStorage.getItem(`tealight.${key}`);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
function remember(key, value) {
  try {
    localStorage.setItem(`tealight.${key}`, value);
  } catch {
    // The link still holds it.
  }
}

/** @param {string} lang */
function setLanguage(lang) {
  whenThere(lang, () => {
    if (playground.lang === lang) setLanguage(lang);
  });
  const t = translator(lang);
  document.documentElement.lang = t("lang");
  document.title = t("ui.title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.getAttribute("data-text") ?? "");
  const next = languages[(languages.indexOf(lang) + 1) % languages.length];
  language.textContent = LANGUAGE_NAMES[next].name;
  language.lang = LANGUAGE_NAMES[next].tag;
  language.title = t("ui.language");
  gallery.title = t("ui.gallery.title");
  help.title = `${t("ui.help.title")} (?)`;
  help.setAttribute("aria-label", t("ui.help.title"));
  share.title = t("share.title");
  share.setAttribute("aria-label", t("share.title"));
  playground.lang = lang;
  labelTheme();
}

/** @param {string} name */
function setTheme(name) {
  document.documentElement.dataset.theme = name;
  playground.theme = name;
  labelTheme();
}

function labelTheme() {
  const t = translator(playground.lang);
  const text = textOr(t, `ui.theme.${playground.theme}`, playground.theme);
  theme.title = text;
  theme.setAttribute("aria-label", text);
}

/** Follows a link: the language and the theme that it asks for, else the ones last chosen. @param {string} hash */
function follow(hash) {
  const texts = textsOf(hash);
  playground.link = hash;
  document.documentElement.toggleAttribute("data-embed", playground.embed);
  const wanted = texts.get("theme") ?? remembered("theme") ?? "auto";
  setTheme(THEMES.includes(wanted) ? wanted : "auto");
  setLanguage(languageFor([texts.get("lang"), remembered("lang"), ...navigator.languages]));
}

let pending = 0;
function writeAddress() {
  pending = 0;
  try {
    history.replaceState(history.state, "", `#${playground.link}`);
  } catch {
    // A frame whose address cannot be written: the link is still there for whoever asks the element.
  }
}

language.addEventListener("click", () => {
  const next = languages[(languages.indexOf(playground.lang) + 1) % languages.length];
  remember("lang", next);
  setLanguage(next);
});
theme.addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(playground.theme) + 1) % THEMES.length];
  remember("theme", next);
  setTheme(next);
});
help.addEventListener("click", () => playground.showHelp());
gallery.addEventListener("click", () => playground.showGallery());
share.addEventListener("click", () => playground.showShare());
playground.addEventListener("change", () => {
  pending ||= window.setTimeout(writeAddress, ADDRESS_EVERY);
});
// Once everything that was urgent is there.
playground.addEventListener("ready", () => void keepForLater(), { once: true });
window.addEventListener("hashchange", () => follow(location.hash));
window.addEventListener("pagehide", () => {
  clearTimeout(pending);
  if (pending) writeAddress();
});
// The page is all playground: keys that reach no control are meant for it.
document.addEventListener("keydown", (event) => {
  if (!event.composedPath().includes(playground)) playground.handleKey(event);
});

follow(location.hash);
listenToHost(playground, { open: follow });
