// A page of a real browser that is driven over the DevTools protocol alone: Playwright keeps its own pages awake, and one that is frozen
// there goes on all the same.

import type { Browser, CDPSession } from 'playwright-core';

interface Reply { readonly id?: number; readonly result?: { readonly result?: { readonly value?: unknown }; readonly exceptionDetails?: unknown }; readonly error?: { readonly message: string } }

/** One page in a profile of its own. */
export class BarePage {
  readonly #browser: CDPSession;
  readonly #session: string;
  readonly #waiting = new Map<number, { readonly resolve: (reply: Reply) => void; readonly reject: (why: Error) => void }>();
  #count = 0;

  private constructor(browser: CDPSession, session: string) {
    this.#browser = browser;
    this.#session = session;
    browser.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
      const reply = JSON.parse(message) as Reply;
      const waiting = sessionId === session && reply.id !== undefined ? this.#waiting.get(reply.id) : undefined;
      if (reply.error !== undefined) waiting?.reject(new Error(reply.error.message));
      else waiting?.resolve(reply);
    });
  }

  /** Opens an address; `before` runs in it before any script of its own. */
  static async open(browser: Browser, o: { readonly url: string; readonly before: string }): Promise<BarePage> {
    const top = await browser.newBrowserCDPSession();
    const { browserContextId } = await top.send('Target.createBrowserContext');
    const { targetId } = await top.send('Target.createTarget', { url: 'about:blank', browserContextId });
    const { sessionId } = await top.send('Target.attachToTarget', { targetId, flatten: false });
    const page = new BarePage(top, sessionId);
    await page.send('Page.enable');
    await page.send('Emulation.setDeviceMetricsOverride', { width: 1300, height: 2400, deviceScaleFactor: 1, mobile: false });
    await page.send('Page.addScriptToEvaluateOnNewDocument', { source: o.before });
    await page.send('Page.navigate', { url: o.url });
    return page;
  }

  /** Asks the page for something. */
  async send(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    const id = ++this.#count;
    const reply = new Promise<Reply>((resolve, reject) => { this.#waiting.set(id, { resolve, reject }); });
    await this.#browser.send('Target.sendMessageToTarget', { sessionId: this.#session, message: JSON.stringify({ id, method, params }) });
    return reply;
  }

  /** The value of an expression, or of what it promises. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result } = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (result?.exceptionDetails !== undefined) throw new Error(JSON.stringify(result.exceptionDetails));
    return result?.result?.value as T;
  }

  /** Stops all of the page, as a browser does to one in the background that it wants to save. */
  async freeze(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  /** Lets it go on, and somebody looks at it again. */
  async thaw(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'active' });
    await this.send('Emulation.setFocusEmulationEnabled', { enabled: true });
  }
}
