// node slack_peer.mjs: the third-party Slack emulator on a free loopback port, told where to deliver signed events.
// It has no public way to add an event subscription, so its own webhook dispatcher is reached by wrapping the plugin
// that createEmulator() loads. Nothing of Slack's API is filled in here: what the emulator lacks, it lacks.
import { createServer } from "node:net";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createEmulator } from "emulate";

const folder = dirname(fileURLToPath(import.meta.resolve("emulate")));
const holdsSlack = (name) => /^dist-.+\.js$/.test(name) && readFileSync(join(folder, name), "utf8").includes("slackPlugin");
const bundle = readdirSync(folder).find(holdsSlack);
if (!bundle) throw new Error("the pinned emulator holds no Slack plugin any more");
const { slackPlugin } = await import(pathToFileURL(join(folder, bundle)).href);

const team = "T000000001";
const original = slackPlugin.register;
slackPlugin.register = function (app, store, webhooks, ...rest) {
  app.post("/_peer/subscribe", async (context) => {
    const { url } = await context.req.json();
    webhooks.register({ url, events: ["*"], active: true, owner: "slack" });
    return context.json({ ok: true });
  });
  app.post("/_peer/event", async (context) => {
    const { event, event_id } = await context.req.json();
    const body = { type: "event_callback", team_id: team, api_app_id: "A0RACKSIDE", event_id, event_time: 1, event };
    await webhooks.dispatch(event.type, undefined, body, "slack");
    return context.json({ ok: true });
  });
  app.get("/_peer/deliveries", (context) => context.json(webhooks.getDeliveries()));
  return original.call(this, app, store, webhooks, ...rest);
};

// PEER_PORT comes back on the port of one that ended, as after a restart.
const free = Number(process.env.PEER_PORT) || await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const seed = {
  slack: {
    team: { name: "Peer", domain: "peer" },
    users: [{ name: "alice", real_name: "Alice", email: "alice@peer.test", is_admin: true }],
    channels: [{ name: "incidents", topic: "what is wrong" }],
    oauth_apps: [{
      app_id: "A0RACKSIDE", client_id: "1.2", client_secret: "s", name: "Rackside", bot_id: "B0RACKSIDE",
      bot_user_id: "U0RACKSIDE", bot_name: "rackside", redirect_uris: [], scopes: process.argv.slice(2),
    }],
    tokens: [
      { token: "xoxb-peer", type: "bot", user: "rackside", app_id: "A0RACKSIDE", bot_id: "B0RACKSIDE",
        bot_user_id: "U0RACKSIDE", scopes: process.argv.slice(2) },
      { token: "xoxp-alice", type: "user", user: "alice" },
    ],
    signing_secret: "peer-signing-secret",
  },
};
const emulator = await createEmulator({ service: "slack", port: free, seed });
console.log(JSON.stringify({ url: emulator.url }));
// The tests hold our standard input: when they are gone, so are we.
process.stdin.resume();
process.stdin.on("end", () => emulator.close().then(() => process.exit(0)));
