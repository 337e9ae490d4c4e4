// The little that pages do beyond links, forms and htmx. Everything works without it.

// A form that must be sent once says so while it is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  const button = form.querySelector("button[type=submit]");
  if (button) {
    button.dataset.label = button.textContent;
    button.setAttribute("aria-disabled", "true");
    button.textContent = form.dataset.once;
  }
  say(form.dataset.once);
});

// A page that comes back from the browser's memory can be used again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    const button = form.querySelector("button[type=submit]");
    button.removeAttribute("aria-disabled");
    button.textContent = button.dataset.label;
  }
});

// What is under way and what changed is said to those who cannot see it.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.dataset.waiting) say(event.target.dataset.waiting);
});

document.addEventListener("htmx:afterSwap", (event) => {
  const swapped = event.detail.elt;
  const said = swapped.dataset.announce ? swapped : swapped.querySelector("[data-announce]");
  if (said) say(said.dataset.announce);
  document.getElementById("trouble").hidden = true;
});

document.addEventListener("htmx:sendError", () => {
  say("There is no connection. Nothing was changed. Try again.", true);
});

document.addEventListener("htmx:responseError", (event) => {
  say(`That did not work (error ${event.detail.xhr.status}). Nothing was changed. Reload the page and try again.`, true);
});

// Up and down go through an open menu, from its button or its search on.
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest("details.menu");
  if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  menu.open = true;
  const stops = [...menu.querySelectorAll("summary, .menu-body a, .menu-body button, .menu-body input:not([type=hidden])")];
  const step = event.key === "ArrowDown" ? 1 : -1;
  stops[(stops.indexOf(event.target) + step + stops.length) % stops.length].focus();
});

// A form that is sent with a passkey: its options stand in it, or at its address. Where the
// browser cannot do it, the form stays hidden.
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const credential = await passkeyFor(form);
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      say("The passkey was not used: it was cancelled, took too long, or is not known here. Nothing was changed.", true);
    }
  });
}

async function passkeyFor(form) {
  const here = form.querySelector("script[type='application/json']");
  const options = here
    ? JSON.parse(here.textContent)
    : await (await fetch(form.action, { headers: { Accept: "application/json" } })).json();
  if (form.dataset.passkey === "get") {
    const wanted = PublicKeyCredential.parseRequestOptionsFromJSON(options.request_options.publicKey);
    return navigator.credentials.get({ publicKey: wanted });
  }
  const wanted = PublicKeyCredential.parseCreationOptionsFromJSON(options.creation_options.publicKey);
  const alone = form.elements.passwordless?.checked;
  wanted.authenticatorSelection = {
    ...wanted.authenticatorSelection,
    residentKey: alone ? "required" : "discouraged",
    requireResidentKey: Boolean(alone),
    ...(alone && { userVerification: "required" }),
  };
  return navigator.credentials.create({ publicKey: wanted });
}

function say(sentence, visibly) {
  document.getElementById("announce").textContent = sentence;
  if (!visibly) return;
  const line = document.getElementById("trouble");
  line.querySelector("p").textContent = sentence;
  line.hidden = false;
}

// Menus close on Escape, giving focus back, and when focus or a click goes elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

for (const kind of ["click", "focusin"]) {
  document.addEventListener(kind, (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}

// The button that reviews ticked numbers says how many they are.
document.addEventListener("change", (event) => {
  const form = event.target.name === "pick" && event.target.form;
  if (!form) return;
  const button = form.querySelector("button");
  const count = [...form.elements].filter((one) => one.checked).length;
  const { none = (button.dataset.none = button.textContent), one, many, over } = button.dataset;
  const words = count > form.dataset.most ? over : count > 1 ? many : count ? one : none;
  button.textContent = words.replace("#", count);
});

// --- The Numbers page ---------------------------------------------------------------

// What was left empty does not have to stand in the address.
function tidy(parameters) {
  for (const name of [...new Set(parameters.keys())]) {
    if (parameters.getAll(name).every((value) => value === "")) parameters.delete(name);
  }
  if (parameters.get("sort") === "-created") parameters.delete("sort");
}

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt.matches("form[data-tidy]")) tidy(event.detail.formData || event.detail.parameters);
});

document.addEventListener("formdata", (event) => {
  if (event.target.matches("form[data-tidy]")) tidy(event.formData);
});

// Choosing several: all that are shown, and how many are chosen.
function picksOf(form) {
  return [...form.querySelectorAll("input[name=n]")];
}

function countPicks(form) {
  const picks = picksOf(form);
  const chosen = picks.filter((pick) => pick.checked).length;
  const all = form.querySelector("[data-pick-all]");
  all.checked = chosen > 0 && chosen === picks.length;
  all.indeterminate = chosen > 0 && chosen < picks.length;
  form.querySelector("[data-picked]").textContent = `With the ${chosen} chosen:`;
}

function readyPicks() {
  for (const form of document.querySelectorAll("form[data-picks]")) {
    const all = form.querySelector("[data-pick-all]");
    if (!all) continue;
    all.closest("label").hidden = false;
    countPicks(form);
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-picks]");
  if (!form || !form.querySelector("[data-pick-all]")) return;
  if (event.target.matches("[data-pick-all]")) {
    for (const pick of picksOf(form)) pick.checked = event.target.checked;
  }
  countPicks(form);
});

document.addEventListener("DOMContentLoaded", readyPicks);
window.addEventListener("pageshow", readyPicks);

// More rows arrived where the link was: the focus goes on at the first of them.
document.addEventListener("htmx:afterSettle", () => {
  readyPicks();
  const arrived = document.querySelector("[data-arrived]");
  if (!arrived) return;
  arrived.removeAttribute("data-arrived");
  const link = arrived.querySelector("a");
  if (link && document.activeElement === document.body) link.focus();
});
