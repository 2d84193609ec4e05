/** The files of a drop: folders are walked, hidden files left out. */

/**
 * @typedef {{file: File, path: string}} Found
 * @param {DataTransfer} transfer
 * @returns {Promise<Found[]>} every file with its path below what was dropped
 */
export async function filesOfDrop(transfer) {
  // The entries must be asked for now: after the first await the browser empties the transfer.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return filesOfInput(transfer.files);
  return (await Promise.all(entries.map(walk))).flat();
}

/** @param {FileList} files  @returns {Found[]} */
export function filesOfInput(files) {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })).filter(isVisible);
}

async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }].filter(isVisible);
  }
  const reader = entry.createReader();
  const found = [];
  // A reader hands out a folder in portions of a hundred, until it hands out none.
  for (;;) {
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return found;
    for (const child of portion) found.push(...(await walk(child)));
  }
}

/** Folders of a Mac or of Windows carry files that nobody meant to send. */
const isVisible = ({ path }) => !/(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/i.test(path);
