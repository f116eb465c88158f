import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/static/page/",
  plugins: [react()],
  build: {
    outDir: "../api/static/page",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy lets nothing in that is not a file of ours
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    license: { fileName: "licenses.md" }, // of what is bundled: minifying drops their notices
  },
  test: {
    environment: "happy-dom",
    setupFiles: "src/test/setup.ts",
    testTimeout: 60_000, // milliseconds; a hang, not a slow machine
    restoreMocks: true,
    unstubGlobals: true,
  },
});
