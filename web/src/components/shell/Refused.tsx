/** What a request was refused for, what to do about it, and the id to ask about. */
import { advice } from "../../lib/advice";
import type { ApiError } from "../../problem";
import "./Refused.css";

export function Refused({ error }: { readonly error: ApiError }) {
  return (
    <>
      {error.message} {advice(error.code)}
      {error.requestId && <span className="refused-id"> Request {error.requestId}</span>}
    </>
  );
}
