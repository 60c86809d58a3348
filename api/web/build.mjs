// Builds one file, verify.html: the style, the page's script and the script of its background thread, all inlined.
// The policy in its head admits this script and this style by their hashes, and nothing else. The digest of the sources
// stands in the file, so that a test without Node can tell whether it was built from them.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "../dualrandom_api/assets/verify.html");

/** A sha256 over "path sha256(content)\n" of every source, ascending by path. */
function sourceDigest() {
  const paths = [];
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules") visit(path);
      } else paths.push(relative(here, path).split(sep).join("/"));
    }
  };
  visit(here);
  const sum = createHash("sha256");
  for (const path of paths.sort())
    sum.update(`${path} ${createHash("sha256").update(readFileSync(join(here, path))).digest("hex")}\n`);
  return sum.digest("hex");
}

async function bundle(entry) {
  const made = await build({
    root: here, configFile: false, logLevel: "warn", publicDir: false,
    build: {
      write: false, target: "es2022", minify: "esbuild", modulePreload: false,
      lib: { entry: join(here, entry), formats: ["iife"], name: "dualrandom", fileName: "bundle" },
    },
  });
  const output = (Array.isArray(made) ? made[0] : made).output;
  if (output.length !== 1) throw new Error(`${entry}: one file expected, got ${output.map((file) => file.fileName)}`);
  // Inside a script element these two would end it or start a comment; in strings and regular expressions they mean the same.
  return output[0].code.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
}

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const style = readFileSync(join(here, "src/style.css"), "utf8").replace(/\/\*.*?\*\//gs, "").replace(/\s*\n\s*/g, "\n").trim();
const main = await bundle("src/main.ts");
const parts = {
  POLICY: `default-src 'none'; script-src ${hash(main)}; style-src ${hash(style)}; worker-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'`,
  SOURCES: sourceDigest(), STYLE: style, WORKER: await bundle("src/worker.ts"), MAIN: main,
};
const page = readFileSync(join(here, "index.html"), "utf8").replace(/%([A-Z]+)%/g, (_, name) => parts[name]);
writeFileSync(target, page);
console.log(`${target}: ${Buffer.byteLength(page)} bytes`);
