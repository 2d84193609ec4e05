/** Small pieces of text the viewer puts on the page. */

/** @param {string[]} sentences @returns {HTMLElement[]} A paragraph each. */
export function paragraphs(sentences) {
  return sentences.map((sentence) => element("p", sentence));
}

/**
 * The card that stands in place of everything once access has ended.
 *
 * @param {(key: string, values?: object) => string} words @param {{practice: string, phone: string}} practice
 */
export function endedCard(words, practice) {
  const card = element("section", "");
  card.className = "viewer-ended";
  card.tabIndex = -1;  // so that the focus, whose place is gone, has somewhere to go
  card.append(element("h1", words("ended")), element("p", words("call", practice)));
  return card;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/** @param {string} number A telephone number. @returns {string} With spaces that never end a line. */
export function unbroken(number) {
  return number.replaceAll(" ", "\u00a0");
}
