// How values are shown; columns.py formats by the same description.
"use strict";

const DASH = "–";

/** A value as it is shown, without its unit. */
function shown(column, value) {
  if (value === null || value === undefined) return DASH;
  if (column.kind === "flag") return value ? "yes" : "no";
  if (column.kind === "text") return String(value);
  return (value * column.scale).toLocaleString("en-US", {
    minimumFractionDigits: column.digits,
    maximumFractionDigits: column.digits,
  });
}

/** A value with its unit. */
function amount(column, value) {
  const text = shown(column, value);
  return column.unit && text !== DASH ? `${text} ${column.unit}` : text;
}

function heading(column) {
  return column.unit ? `${column.label} (${column.unit})` : column.label;
}
