/** Makes a browser save what it gets, never show it, under this name. [RFC 6266; RFC 8187] */
export function contentDispositionOf(fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(fileName).replace(/['()*]/g, escape)}`;
}

const escape = (letter: string): string => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;
