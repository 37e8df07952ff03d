# A stand-in for nixpkgs with just the names flake.nix uses, for evaluating it without a network:
#   nix flake check --no-build --no-write-lock-file --override-input nixpkgs path:deploy/nix/nixpkgs-stub
# Its derivations also build (slowly, impurely) where `prefix` holds a node + npm and the usual tools are in /usr/bin.
{
  outputs =
    { self }:
    let
      prefix = "/var/tmp/sluice-nix/node";
      lib = rec {
        genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
        importJSON = path: builtins.fromJSON (builtins.readFile path);
        last = list: builtins.elemAt list (builtins.length list - 1);
        splitString = sep: s: builtins.filter builtins.isString (builtins.split sep s);
        hasPrefix = p: s: builtins.substring 0 (builtins.stringLength p) s == p;
        any = builtins.any;
        findFirst = pred: default: list: let found = builtins.filter pred list; in if found == [ ] then default else builtins.head found;
        optionals = c: l: if c then l else [ ];
        optionalAttrs = c: a: if c then a else { };
        escapeShellArg = s: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] s}'";
        getExe = d: "${d}/bin/${d.meta.mainProgram or d.pname or d.name}";
        fetchers.proxyImpureEnvVars = [ "http_proxy" "https_proxy" "HTTP_PROXY" "HTTPS_PROXY" "NO_PROXY" ];
        fileset = { toSource = { root, fileset }: builtins.path { path = root; name = "source"; filter = p: t: builtins.elem (toString p) (map toString fileset) || builtins.any (f: hasPrefix (toString f + "/") (toString p)) fileset; }; unions = l: l; };
      };
      pkgsFor =
        system:
        let
          parts = builtins.split "-" system;
          cpu = builtins.elemAt parts 0;
          os = builtins.elemAt parts 2;
          mk =
            args:
            let
              meta = args.meta or { };
              drv = derivation (
                builtins.removeAttrs args [ "meta" "passthru" "nativeBuildInputs" "disallowedReferences" "strictDeps" "doCheck" "pname" "version" ]
                // {
                  inherit system;
                  name = args.name or "${args.pname}-${args.version}";
                  builder = "/bin/bash";
                  args = [ "-e" "-c" (''
                    export PATH=${prefix}/bin:/usr/bin:/bin TMPDIR=''${NIX_BUILD_TOP:-$TMPDIR}; cd "$TMPDIR"
                    runHook() { :; }; patchShebangs() { :; }
                    makeWrapper() { local real=$1 w=$2 flags= env=; shift 2; while [ $# -gt 0 ]; do case $1 in --add-flags) flags="$flags $2"; shift 2;; --set-default) env="$env
                    export $2=\''${$2-$3}"; shift 3;; esac; done; mkdir -p "$(dirname "$w")"; printf '#!/bin/bash\n%s\nexec %s %s "$@"\n' "$env" "$real" "$flags" > "$w"; chmod +x "$w"; }
                  '' + (args.buildCommand or ''
                    cp -r --no-preserve=mode "$src" s; cd s
                    eval "$configurePhase"; eval "$buildPhase"; eval "$installPhase"
                  '') + "\n:") ];
                }
              );
            in
            drv // (args.passthru or { }) // { inherit meta; } // (if args ? pname then { inherit (args) pname; } else { pname = args.name; });
          tool = name: { type = "derivation"; inherit name system; outPath = "/usr"; drvPath = "/dev/null"; meta = { }; };
        in
        {
          stdenv = {
            mkDerivation = mk;
            hostPlatform = {
              inherit system;
              isLinux = os == "linux";
              isDarwin = os == "darwin";
              isMusl = false;
              node = { platform = os; arch = if cpu == "x86_64" then "x64" else "arm64"; };
            };
          };
          stdenvNoCC.mkDerivation = mk;
          writeText = name: text: derivation { inherit name text system; passAsFile = [ "text" ]; builder = "/bin/bash"; args = [ "-c" "/bin/cp $textPath $out; :" ]; };
          runCommand = name: env: cmd: mk ({ inherit name; buildCommand = cmd; } // env);
          mkShell = a: mk { name = "shell"; buildCommand = "echo > $out"; };
          dockerTools = {
            buildLayeredImage = a: mk { name = "${a.name}.tar.gz"; buildCommand = "echo '${builtins.toJSON a.config}' > $out"; };
            fakeNss = tool "fakeNss";
            caCertificates = tool "caCertificates";
          };
          nodejs_24 = prefix;
          nodejs-slim_24 = prefix;
          cacert = "/var/tmp/sluice-nix/cacert";
        }
        // lib.genAttrs [ "python3" "makeWrapper" "cctools" "sqlite" "curl" "jq" ] tool
        // { nixfmt-tree = mk { name = "nixfmt-tree"; buildCommand = "echo > $out"; }; };
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" "aarch64-darwin" "x86_64-darwin" ] pkgsFor;
    };
}
