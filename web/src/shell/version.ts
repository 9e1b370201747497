/** Whether a page that the platform has is one of Parkwire, and another one than that with this script: the script's name changes with its content. */
export const isNewer = (page: string, own: string): boolean => /src="\/assets\/[^"]+"/.test(page) && !page.includes(`"${own}"`);
