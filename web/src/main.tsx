/** The composition root of the page. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
// Before the components' own, which say more.
import "@picocss/pico/css/pico.min.css";
import "./styles/index.css";
import { App } from "./App";
import { createApi } from "./api";
import { createKeyRing } from "./keys";
import { unbreakable } from "./lib/storage";
import { ServicesContext } from "./services";
import { createSongs } from "./songs/songs";

const keys = createKeyRing(unbreakable(() => window.sessionStorage));
const api = createApi(keys, document);
const songs = createSongs(
  api,
  keys,
  unbreakable(() => window.localStorage),
);
const root = document.getElementById("root");

if (root)
  createRoot(root).render(
    <StrictMode>
      <ServicesContext value={{ api, keys, songs }}>
        <App />
      </ServicesContext>
    </StrictMode>,
  );
