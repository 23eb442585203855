// The uploads of this browser, for all its pages: they go on while one page makes way for the next.

import { Uploads } from "./upload/uploads.js";

const uploads = new Uploads();

self.addEventListener("connect", ({ ports: [port] }) => uploads.connect(port));
