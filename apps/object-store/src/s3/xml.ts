export const xml = (root: string, content: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${content}</${root}>`;

export const elements = (parts: Readonly<Record<string, string | number | boolean>>): string =>
  Object.entries(parts)
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join('');

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
// What XML 1.0 cannot hold in any spelling becomes a replacement character.
export const escapeXml = (text: string): string =>
  text
    .replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char)
    .replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
