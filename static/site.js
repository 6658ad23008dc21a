// Optional behaviours only: every page works, and every form sends, without this file.
"use strict";
const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

// An error summary takes the focus, so that it is read out and seen.
document.querySelector(".error-summary")?.focus();

// How much of a limit is used, in characters as people count them.
each("[data-count-max]", (box) => {
  const out = document.getElementById(box.dataset.countOut);
  if (!out) return;
  const count = () => {
    const used = [...box.value].length, max = Number(box.dataset.countMax);
    out.textContent = (used > max ? out.dataset.over : out.dataset.left).replace("#", String(Math.abs(max - used)));
    out.classList.toggle("over", used > max);
  };
  box.addEventListener("input", count);
  count();
});

// Switch 适老版, light and dark in place: what has been typed on the page stays.
const remember = (form, fields, done) => fetch(form.action, { method: "POST", body: new URLSearchParams(fields), redirect: "manual", credentials: "same-origin" })
  .then((answer) => {
    if (answer.type !== "opaqueredirect" && !answer.ok) throw new Error(String(answer.status));
    done();
  });
each("form[data-view-form]", (form) => form.addEventListener("submit", (event) => {
  event.preventDefault();
  remember(form, new FormData(form), () => {
    const elder = document.documentElement.classList.toggle("elder");
    form.elements.view.value = elder ? "plain" : "elder";
  }).catch(() => form.submit());
}));
const DARK_WHEN = { light: "not all", dark: "screen", system: "screen and (prefers-color-scheme: dark)" };
each("form[data-look-form]", (form) => form.addEventListener("submit", (event) => {
  const look = event.submitter?.value;
  if (!(look in DARK_WHEN)) return;
  event.preventDefault();
  remember(form, { look }, () => {
    document.querySelector("link[data-dark]").media = DARK_WHEN[look];
    document.querySelector("meta[name=color-scheme]").content = look === "system" ? "light dark" : look;
    form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", String(button.value === look)));
  }).catch(() => location.reload());
}));

// Read a part of the page aloud with the browser's own voice.
each("[data-read-aloud]", (button) => {
  if (!("speechSynthesis" in window)) return;
  const target = document.getElementById(button.dataset.readAloud);
  button.hidden = !target;
  const rest = () => button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const speaking = button.getAttribute("aria-pressed") === "true";
    speechSynthesis.cancel();
    if (speaking) return rest();
    const pieces = target.innerText.split(/(?<=[。！？；\n])/).filter((piece) => piece.trim());
    pieces.forEach((piece, index) => {
      const words = new SpeechSynthesisUtterance(piece);
      words.lang = "zh-CN";
      if (index === pieces.length - 1) words.onend = rest;
      speechSynthesis.speak(words);
    });
    button.setAttribute("aria-pressed", "true");
  });
});

// Copy a receipt number.
each("[data-copy]", (button) => {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", () => navigator.clipboard.writeText(button.dataset.copy)
    .then(() => { button.textContent = button.dataset.copied; }));
});

// Typed text outlives a reload of this tab; a page with [data-kept-clear] ends it. What was typed about
// one place of a text is not offered for another; a link with [data-keep-along] takes it along.
const shelf = (box, address = location.href) => {
  const url = new URL(address);
  return ["kept", url.pathname, url.searchParams.get("on") || "", box.name].join(":");
};
try {
  if (document.querySelector("[data-kept-clear]")) {
    Object.keys(sessionStorage).filter((key) => key.startsWith("kept:")).forEach((key) => sessionStorage.removeItem(key));
  }
  each("textarea[data-keep]", (box) => {
    if (!box.value) { box.value = sessionStorage.getItem(shelf(box)) || ""; box.dispatchEvent(new Event("input")); }
    const keep = (address) => { try { sessionStorage.setItem(shelf(box, address), box.value); } catch { /* full */ } };
    box.addEventListener("input", () => keep(location.href));
    each("a[data-keep-along]", (link) => link.addEventListener("click", () => { if (box.value) keep(link.href); }));
  });
} catch { /* storage refused: nothing is kept */ }

// One-key acts on a desk, while the focus is not in a field: j and k go from one to the next, the
// others do what is marked with them. A field an act cannot do without gets the focus first.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const here = event.target.closest("[data-keys]");
  if (event.target.closest("input:not([type=checkbox]), textarea, select")) {
    if (event.key === "Escape") here?.focus();
    return;
  }
  const key = event.key.toLowerCase();
  if (key === "j" || key === "k") {
    const all = [...document.querySelectorAll("[data-keys]")];
    const next = here ? all[all.indexOf(here) + (key === "j" ? 1 : -1)] : all[0];
    if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({ block: "nearest" }); }
    return;
  }
  const act = here?.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!act) return;
  event.preventDefault();
  const field = act.dataset.needs && document.getElementById(act.dataset.needs);
  if (field && !field.value) field.focus(); else act.click();
});

// What a form that only reads would show, shown while it is filled in. The last answer counts, and what
// has been typed in the part that is replaced stays.
each("form[data-live]", (form) => {
  const part = document.getElementById(form.dataset.live), told = form.querySelector("[data-live-told]");
  let last = 0, soon = 0;
  const show = () => {
    const asked = ++last, address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    fetch(address, { credentials: "same-origin" }).then((answer) => answer.ok ? answer.text() : Promise.reject(answer.status)).then((text) => {
      const found = new DOMParser().parseFromString(text, "text/html").getElementById(part.id);
      if (asked !== last || !found) return;
      const typed = [...part.querySelectorAll("input[id], textarea[id]")].map((box) => [box.id, box.value]);
      part.replaceChildren(...found.childNodes);
      typed.forEach(([id, value]) => { const box = document.getElementById(id); if (box) box.value = value; });
      if (told) told.textContent = told.dataset.liveTold;
      history.replaceState(null, "", address);
    }).catch(() => { /* the button is still there */ });
    if (told) told.textContent = "";
  };
  form.addEventListener("input", (event) => {
    clearTimeout(soon);
    if (!event.isComposing) soon = setTimeout(show, 600);
  });
  form.addEventListener("compositionend", () => { clearTimeout(soon); soon = setTimeout(show, 600); });
});

// On wide screens the style sheet shows folded parts; opening them too tells assistive software.
const wide = matchMedia("(min-width: 62em)");
const unfold = () => { if (wide.matches) each("details.unfold-wide", (part) => { part.open = true; }); };
wide.addEventListener("change", unfold);
unfold();
