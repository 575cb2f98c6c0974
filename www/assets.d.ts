/** Style sheets are imported as their text, for constructed style sheets in shadow roots. */
declare module "*.css" {
  const text: string;
  export default text;
}
