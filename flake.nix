{
  description = "Sluice, a self-hosted LLM gateway";

  # The last branch with x86_64-darwin.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forAll = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      package = lib.importJSON ./package.json;
      lock = lib.importJSON ./package-lock.json;
      # Of the commit, so that two builds of it are the same to the bit.
      sourceDate = self.lastModified or 1;
      day = self.lastModifiedDate or "19700101000001";
      created = "${builtins.substring 0 4 day}-${builtins.substring 4 2 day}-${builtins.substring 6 2 day}T00:00:00Z";

      build =
        pkgs:
        let
          nodejs = pkgs.nodejs_24;
          # Without npm: what runs it.
          node = pkgs.nodejs-slim_24;
          host = pkgs.stdenv.hostPlatform;

          # package-lock.json names no addresses but every tarball's sha512, which is all a fixed-output derivation needs: npm finds the tarball,
          # Nix checks its bytes. No other hash is to be kept.
          nameOf = path: entry: entry.name or (lib.last (lib.splitString "node_modules/" path));
          sriOf =
            entry: lib.findFirst (lib.hasPrefix "sha512-") entry.integrity (lib.splitString " " entry.integrity);
          allows =
            list: value:
            list == [ ]
            || builtins.elem value list
            || (lib.any (lib.hasPrefix "!") list && !builtins.elem "!${value}" list);
          needed =
            path: entry:
            path != ""
            && entry ? integrity
            && !(entry.link or false)
            && !(entry.inBundle or false)
            && allows (entry.os or [ ]) host.node.platform
            && allows (entry.cpu or [ ]) host.node.arch
            && allows (entry.libc or [ ]) (if host.isMusl then "musl" else "glibc");
          tarball =
            path: entry:
            pkgs.stdenvNoCC.mkDerivation rec {
              name = "${builtins.replaceStrings [ "@" "/" ] [ "" "-" ] (nameOf path entry)}-${entry.version}.tgz";
              outputHashMode = "flat";
              outputHash = sriOf entry;
              nativeBuildInputs = [ nodejs ];
              impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [ "npm_config_registry" ];
              SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
              NODE_EXTRA_CA_CERTS = SSL_CERT_FILE;
              preferLocalBuild = true;
              buildCommand = ''
                export HOME=$TMPDIR npm_config_cache=$TMPDIR/npm npm_config_update_notifier=false
                cd "$TMPDIR"
                for n in 1 2 3; do
                  npm pack --silent --ignore-scripts ${lib.escapeShellArg "${nameOf path entry}@${entry.version}"} && break
                  sleep $((n * 2))
                done
                mv ./*.tgz "$out"
              '';
            };
          offlineLock = pkgs.writeText "package-lock.json" (
            builtins.toJSON (
              lock
              // {
                packages = builtins.mapAttrs (
                  path: entry: if needed path entry then entry // { resolved = "file:${tarball path entry}"; } else entry
                ) lock.packages;
              }
            )
          );

          configurePhase = ''
            runHook preConfigure
            export HOME=$TMPDIR npm_config_cache=$TMPDIR/npm npm_config_offline=true npm_config_audit=false \
              npm_config_fund=false npm_config_update_notifier=false
            cp --remove-destination --no-preserve=mode ${offlineLock} package-lock.json
            npm ci --ignore-scripts
            patchShebangs node_modules
            # The database addon from source: this toolchain, these headers.
            (
              cd node_modules/better-sqlite3
              rm -rf prebuilds
              node ${nodejs}/lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js \
                rebuild --release --force_build=1 --nodedir=${node}
            )
            runHook postConfigure
          '';
          common = {
            inherit (package) version;
            inherit configurePhase;
            SOURCE_DATE_EPOCH = toString sourceDate;
            nativeBuildInputs = [
              nodejs
              pkgs.python3
              pkgs.makeWrapper
            ]
            ++ lib.optionals host.isDarwin [ pkgs.cctools ];
            strictDeps = true;
          };

          app = pkgs.stdenv.mkDerivation (
            common
            // {
              pname = package.name;
              src = lib.fileset.toSource {
                root = ./.;
                fileset = lib.fileset.unions [
                  ./package.json
                  ./package-lock.json
                  ./tsconfig.json
                  ./LICENSE
                  ./scripts
                  ./config/config.schema.json
                  ./config/example.yaml
                  ./deploy/container/config.yaml
                  ./src
                  ./dashboard
                ];
              };
              buildPhase = "runHook preBuild; node scripts/build.js shipped; runHook postBuild";
              # All but the addon is in the programs.
              installPhase = ''
                runHook preInstall
                lib=$out/lib/${package.name}
                addon=$lib/node_modules/better-sqlite3
                mkdir -p "$lib" "$addon/build/Release" "$out/share/${package.name}"
                cp -r dist package.json LICENSE "$lib/"
                cp -r node_modules/better-sqlite3/{package.json,lib,LICENSE} "$addon/"
                install -m555 node_modules/better-sqlite3/build/Release/better_sqlite3.node "$addon/build/Release/"
                # Never the config.yaml of whoever builds: the store can be read by everybody.
                install -Dm444 -t "$out/share/${package.name}/config" config/config.schema.json config/example.yaml deploy/container/config.yaml
                makeWrapper ${node}/bin/node "$out/bin/${package.name}" \
                  --add-flags "$lib/dist/sluice.js" --set-default NODE_ENV production
                runHook postInstall
              '';
              disallowedReferences = [ offlineLock ];
              meta = {
                inherit (package) description;
                mainProgram = package.name;
                platforms = systems;
              };
            }
          );

          # The test suite. Biome's binary wants a loader that the sandbox has not; CI runs it.
          suite = pkgs.stdenv.mkDerivation (
            common
            // {
              pname = "${package.name}-suite";
              src = ./.;
              buildPhase = "runHook preBuild; npm run build; runHook postBuild";
              installPhase = "npm run types && node node_modules/vitest/vitest.mjs run && touch $out";
            }
          );

          container = pkgs.dockerTools.buildLayeredImage {
            inherit (package) name;
            tag = package.version;
            inherit created;
            contents = [
              pkgs.dockerTools.fakeNss
              pkgs.dockerTools.caCertificates
            ];
            # As the image of the Dockerfile has them.
            fakeRootCommands = ''
              mkdir -p app/logs tmp
              cp -r ${app}/share/${package.name}/config app/config
              chown 1000:1000 app/logs
              chmod 1777 tmp
            '';
            config = {
              Entrypoint = [ (lib.getExe app) ];
              Cmd = [ "serve" ];
              User = "1000:1000";
              WorkingDir = "/app";
              Env = [
                "NODE_ENV=production"
                "LOG_FORMAT=json"
                "SSL_CERT_FILE=/etc/ssl/certs/ca-bundle.crt"
              ];
              ExposedPorts."8000/tcp" = { };
              Volumes."/app/logs" = { };
            };
          };

          smoke = pkgs.runCommand "${package.name}-smoke" { nativeBuildInputs = [ pkgs.curl ]; } ''
            cp -r ${app}/share/${package.name}/config .
            SERVER_PORT=18099 SERVER_HOST=127.0.0.1 ${lib.getExe app} serve & pid=$!
            for i in $(seq 100); do curl -fsS http://127.0.0.1:18099/readyz -o answer && break; sleep 0.1; done
            kill $pid; wait $pid
            cp answer $out
          '';
        in
        {
          inherit app container smoke suite;
        };
    in
    {
      packages = forAll (
        pkgs:
        {
          default = (build pkgs).app;
        }
        // lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux { inherit (build pkgs) container; }
      );
      apps = forAll (pkgs: {
        default = {
          type = "app";
          program = lib.getExe (build pkgs).app;
          meta.description = package.description;
        };
      });
      checks = forAll (pkgs: {
        package = (build pkgs).app;
        inherit (build pkgs) smoke suite;
      });
      devShells = forAll (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.nodejs_24
            pkgs.python3
            pkgs.sqlite
            pkgs.curl
            pkgs.jq
          ];
          # node-gyp finds its headers there and downloads none.
          env.npm_config_nodedir = "${pkgs.nodejs-slim_24}";
        };
      });
      formatter = forAll (pkgs: pkgs.nixfmt-tree);
    };
}
