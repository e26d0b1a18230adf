// Cells as spreadsheet programs put them on the clipboard: tabs between cells, a line for each row.

const QUOTED = /^"((?:[^"]|"")*)"(?=\t|\r?\n|\r|$)/;
const PLAIN = /^[^\t\r\n]*/;
// As in our files: exactly one apostrophe stands before what a spreadsheet program would take for a formula.
const DANGEROUS = /^'*[=+\-@]/;
const PROTECTED = /^'+[=+\-@]/;

/** Return the rows of cells in `text`. */
export function parseCells(text) {
  const rows = [[]];
  let rest = text.replace(/\r?\n$|\r$/, "");
  for (;;) {
    const quoted = QUOTED.exec(rest);
    // Programs quote what holds a tab, a line break or a quotation mark; others' quotation marks are the value's own.
    const isQuoted = quoted && (/[\t\r\n]|""/.test(quoted[1]) || !quoted[1]);
    const taken = isQuoted ? quoted[0] : PLAIN.exec(rest)[0];
    const cell = isQuoted ? quoted[1].replaceAll('""', '"') : taken;
    rows.at(-1).push(PROTECTED.test(cell) ? cell.slice(1) : cell);
    rest = rest.slice(taken.length);
    if (!rest) return rows;
    if (rest.startsWith("\t")) rest = rest.slice(1);
    else {
      rest = rest.replace(/^\r?\n|^\r/, "");
      rows.push([]);
    }
  }
}

/** Return rows of cells, `{text, plain}`, as spreadsheet programs read them; `plain` texts are no numbers. */
export function writeCells(rows) {
  const write = ({ text, plain }) => {
    const safe = plain && DANGEROUS.test(text) ? `'${text}` : text;
    return /[\t\r\n"]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => row.map(write).join("\t")).join("\r\n");
}
