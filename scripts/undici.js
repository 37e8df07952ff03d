/** What Sluice uses of undici: whoever imports the package in a program is given this (scripts/build.js). */
export { default as buildConnector } from "undici/lib/core/connect.js"
export { default as Agent } from "undici/lib/dispatcher/agent.js"
