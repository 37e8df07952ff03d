/** Lists the outputs that `nix flake show --json` tells of, a line a system. */
import { text } from "node:stream/consumers"

const outputs = JSON.parse(await text(process.stdin))
for (const [kind, systems] of Object.entries(outputs)) {
  for (const [system, named] of Object.entries(systems)) {
    console.log(`${kind}.${system}: ${named.type === undefined ? Object.keys(named).join(", ") : named.name}`)
  }
}
