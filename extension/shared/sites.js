// @ts-check
/** Sites as people know them: `example.org` with everything below it. Pure. */

/** `https://www.example.org/x` → `example.org`; empty where there is none @param {string | undefined} address */
export function siteOf(address) {
  if (!address || !/^https?:\/\//i.test(address) || !URL.canParse(address)) return '';
  return new URL(address).hostname.replace(/^www\./, '');
}

/** Whether an address lies on one of the sites. @param {string} address @param {string[]} sites */
export function isOnSite(address, sites) {
  const host = siteOf(address);
  return host !== '' && sites.some((site) => host === site || host.endsWith(`.${site}`));
}

/** What people type for a site: an address or a name; empty where it is neither. @param {string} text */
export function siteIn(text) {
  const typed = text.trim().toLowerCase();
  return siteOf(/^https?:\/\//.test(typed) ? typed : `http://${typed}`);
}

/** The match pattern for a site and all below it. @param {string} site */
export function sitePattern(site) {
  const isNumeric = /^[\d.]+$|^\[/.test(site);
  return isNumeric ? `*://${site}/*` : `*://*.${site}/*`;
}
