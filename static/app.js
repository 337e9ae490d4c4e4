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
