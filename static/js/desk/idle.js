/**
 * Before an unattended desk is signed out: a warning with "I need more time", in every tab alike.
 *
 * The server ends the session by its own clock; this tells in time, and when it is over clears the screen, so that no
 * name stays on it, and ends the session, with what stands in the form. WCAG 2.2, 2.2.1 (timing adjustable).
 */

const dialog = document.getElementById("idle");
const WARN_S = 120;
// The server moves a session on at most every 30 seconds, so the page counts from a little earlier.
const SLACK_S = 30;

if (dialog) {
  const idleMs = (Number(dialog.dataset.idleS) - SLACK_S) * 1000;
  const left = dialog.querySelector("[data-left]");
  const tabs = new BroadcastChannel("scanpass-desk");
  let endsAt = Date.now() + idleMs;

  const used = () => {
    endsAt = Date.now() + idleMs;
    if (dialog.open) dialog.close();
  };
  /** This tab asked the server for something: all tabs share the session. */
  const usedHere = () => { used(); tabs.postMessage("used"); };

  /** The form somebody was typing into, for the session's end. */
  let touched = null;
  document.addEventListener("input", ({ target }) => {
    const form = target.closest("form[method=post]:not([role=search])");
    if (form) touched = form;
  });

  /** What stands in that form and where it would go; files stay where they are. */
  function typed() {
    const fields = new FormData(touched?.isConnected ? touched : undefined);
    for (const [name, value] of [...fields]) if (value instanceof File) fields.delete(name);
    const action = new URL(touched?.getAttribute("action") ?? "", location.href).pathname;
    fields.set("unsent-page", location.pathname + location.search);
    fields.set("unsent-action", action);
    fields.set("csrfmiddlewaretoken", dialog.querySelector("[name=csrfmiddlewaretoken]").value);
    return fields;
  }

  /**
   * Once: asked for again each second, the next page would never come over a slow line. The session is ended here,
   * because to the server, which counts from a little later, asking for the page again would be using it.
   */
  const leave = async () => {
    clearInterval(timer);
    const body = typed();
    document.querySelector("main").hidden = true;
    await fetch(dialog.dataset.end, { method: "POST", body }).catch(() => null);
    location.assign(location.pathname + location.search);
  };

  const look = () => {
    const leftMs = endsAt - Date.now();
    if (leftMs <= 0) return leave();
    if (leftMs > WARN_S * 1000) return;
    if (!dialog.open) dialog.showModal();
    left.textContent = String(Math.ceil(leftMs / 1000));
  };

  tabs.addEventListener("message", used);
  document.addEventListener("desk:used", usedHere);
  document.addEventListener("htmx:afterRequest", (event) => {
    const isBackground = event.detail.requestConfig.headers["X-Background"] === "1";
    if (event.detail.successful && !isBackground) usedHere();
  });
  document.addEventListener("visibilitychange", look);
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
    if (answer?.status === 204) usedHere();
    else look();
  });
  tabs.postMessage("used"); // this page has just been asked for
  const timer = setInterval(look, 1000);
}
