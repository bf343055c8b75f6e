# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Edges for tests, as PLATFORM section 4 has them: an nginx that takes files by DAV, one that
# caches, the origin behind it, and Varnish with xkey.
# Use, after lib.sh: . servers.sh; nginx_start FOLDER OUTPUT; varnish_start FOLDER; ...; edges_stop.
# Sets dav_port, small_port, falling_port, origin_port, cache_port, varnish_port; FOLDER/dav is what
# the DAV edge holds, FOLDER/small what another does, FOLDER/falling what one does that fetches from
# the origin what it lacks.
edge_pids=()

# nginx_start FOLDER OUTPUT: an edge that holds FOLDER/dav, an origin that serves OUTPUT, a cache of
# that origin which is refreshed by a header.
nginx_start() {
    local folder=$1 output=$2 where user="user root;"
    dav_port=$(free_port) small_port=$(free_port) origin_port=$(free_port) cache_port=$(free_port)
    falling_port=$(free_port)
    [ "$(id -u)" = 0 ] || user=
    mkdir -p "$folder/dav" "$folder/small" "$folder/falling" "$folder/temp" "$folder/cache"
    echo "push:$(openssl passwd -apr1 s3cret)" >"$folder/htpasswd"
    {
        echo "$user daemon off; worker_processes 2; pid $folder/pid; error_log $folder/error.log;"
        echo "events { worker_connections 1024; }"
        echo "http {"
        for where in fastcgi uwsgi scgi proxy; do
            echo "${where}_temp_path $folder/temp;"
        done
        cat <<CONF
log_format told '\$server_port \$request_method \$uri \$status \$http_cache_control'
    '|\$http_surrogate_key|\$http_xkey|\$content_type|';
access_log $folder/access.log told;
types { application/vnd.apple.mpegurl m3u8; application/dash+xml mpd; video/mp4 mp4 m4s;
    application/json json; }
sendfile on; tcp_nopush on;
map \$uri \$caching { ~^/[^/]+/[^/]+\$ "no-cache"; default "public, max-age=31536000, immutable"; }
map \$http_x_refresh_token \$refresh { default 0; "s3cret" 1; }
proxy_cache_path $folder/cache levels=1:2 keys_zone=seg:8m max_size=1g use_temp_path=off;
server { listen 127.0.0.1:$dav_port; root $folder/dav; client_body_temp_path $folder/dav/.temp;
    location /tiny/ { dav_methods PUT; client_max_body_size 1k; create_full_put_path on; }
    location / { dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 64m;
        dav_access user:rw group:r all:r; add_header Cache-Control \$caching always;
        autoindex on; autoindex_format json;
        add_header Access-Control-Allow-Origin * always; # pages of other sites play from it
        limit_except GET HEAD { auth_basic push; auth_basic_user_file $folder/htpasswd; } } }
server { listen 127.0.0.1:$small_port; root $folder/small;
    client_body_temp_path $folder/small/.temp;
    location / { dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 64m; } }
server { listen 127.0.0.1:$falling_port; root $folder/falling;
    client_body_temp_path $folder/falling/.temp;
    location / { dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 64m;
        error_page 404 = @origin; }
    location @origin { if (\$request_method !~ ^(GET|HEAD)\$) { return 404; }
        proxy_pass http://127.0.0.1:$origin_port; } }
server { listen 127.0.0.1:$origin_port; root $output;
    location ~ ^/([^/]+)/ { add_header x-amz-meta-surrogate-key title-\$1; # as of a bucket
        add_header Cache-Control \$caching; } }
server { listen 127.0.0.1:$cache_port;
    location / { proxy_pass http://127.0.0.1:$origin_port; proxy_cache seg; proxy_cache_key \$uri;
        proxy_cache_valid 200 1d; proxy_cache_valid 404 1s; proxy_cache_lock on;
        proxy_cache_bypass \$refresh;
        proxy_ignore_headers Cache-Control; if (\$request_method !~ ^(GET|HEAD)\$) { return 405; } } }
}
CONF
    } >"$folder/nginx.conf"
    nginx -p "$folder" -c "$folder/nginx.conf" 2>"$folder/nginx.err" &
    edge_pids+=($!)
    within 10 bash -c ": <'/dev/tcp/127.0.0.1/$dav_port'" || { cat "$folder/nginx.err"; false; }
}

# varnish_start FOLDER: as operators are told to, in front of the origin, or of what lies between
# (behind_port), on varnish_port where that is set. Stable names are kept for a minute here, so that
# a push that does not refresh them is found out.
varnish_start() {
    local folder=$1 behind=${behind_port:-$origin_port}
    : "${varnish_port:=$(free_port)}"
    mkdir -p "$folder"
    sed -e "s/^backend .*/backend origin { .host = \"127.0.0.1\"; .port = \"$behind\"; }/" \
        -e 's/CHANGE-ME/s3cret/' -e 's/ttl = 2s/ttl = 60s/' \
        "$(dirname "$tests")/scheduler/deploy/edge.vcl" >"$folder/edge.vcl"
    # on a busy machine it may take a client longer than the usual 5 s to ask, once it is connected
    varnishd -F -j none -p timeout_idle=60 -n "$folder/work" -a "127.0.0.1:$varnish_port" \
        -f "$folder/edge.vcl" -s malloc,256m >"$folder/varnish.log" 2>&1 &
    edge_pids+=($!)
    within 20 curl -s -o "$folder/answer" "http://127.0.0.1:$varnish_port/" ||
        { cat "$folder/varnish.log"; false; }
}

edges_stop() {
    [ ${#edge_pids[@]} = 0 ] || kill -TERM "${edge_pids[@]}" 2>/dev/null
    wait "${edge_pids[@]}" 2>/dev/null
}
