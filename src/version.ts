/** The version of this build, as package.json has it. */
import { version as packageVersion } from "../package.json"

export const version: string = packageVersion
