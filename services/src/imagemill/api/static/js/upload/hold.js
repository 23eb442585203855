// The login page keeps uploads alive that wait for the next login, and says so.

import { plural } from "../format.js";
import { one } from "../dom.js";
import { open } from "./client.js";

const place = one("#upload-waits");

open((answered) => {
  if (answered.kind !== "state") return;
  const waiting = answered.state?.toSend ?? 0;
  place.hidden = !waiting;
  place.textContent = `Your upload is paused: ${plural(waiting, "file")} to send. Log in again, and it goes on.`;
}, false);
