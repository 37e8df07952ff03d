/** The admin API as an OpenAPI document. */
import * as OpenApi from "@effect/platform/OpenApi"
import { AdminApi } from "./AdminApi.ts"

export const openApi = OpenApi.fromApi(AdminApi)

/** As a file of docs/: with a line feed at its end. */
export const openApiText = (): string => `${JSON.stringify(openApi, null, 2)}\n`
