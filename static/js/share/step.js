/** The steps between link and scan: focus on what went wrong, send once, count down, take the code from the text. */

import "../once.js";

document.querySelector("[data-takes-focus]")?.focus();

/** Keep the button for a new code quiet until one may be asked for. */
function countDown(button) {
  const until = Date.now() + Number(button.dataset.resend) * 1000;
  const show = button.querySelector("[data-countdown]");
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    show.textContent = left > 0 ? `(${left} s)` : "";
    if (left > 0) setTimeout(tick, 500);
  };
  tick();
}
document.querySelectorAll("[data-resend]").forEach(countDown);

/** Say what becomes of the code while somebody waits for it: three seconds apart, for as long as one usually takes. */
function followTheCode(place, asksLeft = 40) {
  if (!asksLeft) return;
  setTimeout(async () => {
    const news = await askForNews(place.dataset.codeNews);
    if (!news) return;
    if (place.textContent !== news.words) place.textContent = news.words;
    place.classList.toggle("notice", Boolean(news.words));
    if (news.may_call) offerCall();
    if (news.state === "waiting" || news.state === "sent") followTheCode(place, asksLeft - 1);
  }, 3000);
}

/** A text that is known not to have come: the voice may say the code. */
function offerCall() {
  const call = document.querySelector("[data-call]");
  if (call) call.hidden = false;
}

async function askForNews(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // No network for the moment: the page works without.
  }
}
const codeNews = document.querySelector("[data-code-news]");
if (codeNews) followTheCode(codeNews);

/** Android fills the code in from the text by itself, where the browser can. */
async function readTextMessage(form) {
  const abort = new AbortController();
  form.addEventListener("submit", () => abort.abort());
  try {
    const { code } = await navigator.credentials.get({ otp: { transport: ["sms"] }, signal: abort.signal });
    form.elements.code.value = code;
  } catch {
    // Not offered, refused or aborted: the field is there to type in.
  }
}
const codeForm = document.querySelector("[data-code-form]");
if (codeForm && "OTPCredential" in globalThis) readTextMessage(codeForm);
