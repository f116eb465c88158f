/** An XMLHttpRequest whose answer the test gives. It sends nothing. */
import { vi } from "vitest";

export class FakeRequest {
  readonly upload: { onprogress?: (event: { readonly loaded: number; readonly total: number }) => void } = {};
  readonly headers: Record<string, string> = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  onloadend?: () => void;
  status = 0;
  responseText = "";
  path = "";
  form: FormData | null = null;
  private answerHeaders: Readonly<Record<string, string>> = {};

  open(_method: string, path: string): void {
    this.path = path;
  }

  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }

  getResponseHeader(name: string): string | null {
    return this.answerHeaders[name] ?? null;
  }

  send(form: FormData): void {
    this.form = form;
  }

  abort(): void {
    this.onabort?.();
    this.onloadend?.();
  }

  sent(loaded: number, total: number): void {
    this.upload.onprogress?.({ loaded, total });
  }

  answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.status = status;
    this.responseText = typeof body === "string" ? body : JSON.stringify(body);
    this.answerHeaders = headers;
    this.onload?.();
    this.onloadend?.();
  }

  fail(): void {
    this.onerror?.();
    this.onloadend?.();
  }
}

/** Every request from now on, in order. */
export function fakeRequests(): readonly FakeRequest[] {
  const requests: FakeRequest[] = [];
  vi.stubGlobal(
    "XMLHttpRequest",
    class extends FakeRequest {
      constructor() {
        super();
        requests.push(this);
      }
    },
  );
  return requests;
}
