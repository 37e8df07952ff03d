/** The bundler takes styles out of the program into a file of their own. */
declare module "*.css"
