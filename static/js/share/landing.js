/**
 * The page behind every link: takes the key out of the address, forgets it there, and waits for a tap.
 * Nothing is sent until then, so a robot that runs scripts opens nothing either.
 */

const TOKEN = /^[1-9A-HJ-NP-Za-km-z]{22}$/;

const place = document.querySelector("[data-landing]");
const openForm = place.querySelector("[data-open-form]");
const languageForm = document.querySelector("[data-language-form]");
let token = "";

/** The value of a cookie that scripts may read. */
function cookie(name) {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

function readLink() {
  const fragment = location.hash.slice(1);
  if (fragment && TOKEN.test(fragment)) token = fragment;
  // Neither the history nor a shoulder should keep the key.
  if (location.hash) history.replaceState(null, "", location.pathname);
  openForm.hidden = !token;
  place.querySelector("[data-no-link]").hidden = Boolean(token);
}

function arm(form) {
  form.elements.csrfmiddlewaretoken.value = cookie(place.dataset.csrfCookie);
}

openForm.addEventListener("submit", () => {
  arm(openForm);
  openForm.elements.token.value = token;
});

languageForm.addEventListener("submit", () => {
  arm(languageForm);
  // The browser carries the fragment over the redirect, back to this page.
  languageForm.action = `${languageForm.getAttribute("action").split("#")[0]}${token ? `#${token}` : ""}`;
});

languageForm.hidden = false;
addEventListener("hashchange", readLink);
readLink();
