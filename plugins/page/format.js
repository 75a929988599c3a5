// Numbers, money and times as people read them. Times are UTC everywhere.

const COUNT = new Intl.NumberFormat("en-US");
const DOLLARS = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const FRACTIONS = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 4,
  maximumFractionDigits: 4,
});
const SMALLEST_USD = 0.0001;
const PERCENT = new Intl.NumberFormat("en-US", { style: "percent", maximumFractionDigits: 1 });
const DATE = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const TIME = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

export const NONE = "–";

export function count(value) {
  return value === null || value === undefined ? NONE : COUNT.format(value);
}

export function usd(value) {
  if (value === null || value === undefined) return NONE;
  const amount = Number(value);
  if (amount > 0 && amount < SMALLEST_USD / 2) return `<${FRACTIONS.format(SMALLEST_USD)}`;
  return amount === 0 || Math.abs(amount) >= 1 ? DOLLARS.format(amount) : FRACTIONS.format(amount);
}

export function percent(part, whole) {
  return Number(whole) ? PERCENT.format(Number(part) / Number(whole)) : NONE;
}

export function date(text) {
  return DATE.format(new Date(text));
}

export function moment(text) {
  const when = new Date(text);
  return `${DATE.format(when)}, ${TIME.format(when)} UTC`;
}

/** Return how far a moment lies from now, in two units at most: "3 hours ago", "in 20 minutes". */
export function age(text, now) {
  const seconds = (new Date(text) - now) / 1_000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[3];
  return RELATIVE.format(Math.trunc(seconds / length), unit);
}

export function words(name) {
  return (name ?? "no reason").replaceAll("_", " ");
}

export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : noun.endsWith("ch") ? "es" : "s"}`;
}
