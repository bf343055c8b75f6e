# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# An S3 store for tests: OpenStack Swift with its S3 door, which knows no conditional put and
# tells a wrong signature apart. Use, after lib.sh: . swift.sh; swift_start FOLDER; ...;
# swift_stop. Sets the AWS_ variables. FOLDER must be on a file system with extended
# attributes.

# swift_server KIND PORT: the configuration of one storage server.
swift_server() {
    cat >"$swift_folder/$1.conf" <<EOF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
workers = 0
user = $(id -un)
swift_dir = $swift_folder
devices = $swift_folder/devices
mount_check = false
disable_fallocate = true
log_name = $1
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
EOF
}

swift_proxy() {
    cat >"$swift_folder/proxy.conf" <<EOF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $1
workers = 0
user = $(id -un)
swift_dir = $swift_folder
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$2
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = localhost
dns_compliant_bucket_names = true
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_farm_ci = secretci .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
EOF
}

swift_ring() {
    local builder=$swift_folder/$1.builder
    swift-ring-builder "$builder" create 4 1 1 &&
        swift-ring-builder "$builder" add "r1z1-127.0.0.1:$2/d1" 1 &&
        swift-ring-builder "$builder" rebalance
}

swift_answers() {
    curl -sf -o "$swift_folder/answer" "http://127.0.0.1:$1/healthcheck"
}

# swift_start FOLDER: about 3 s. FOLDER/*.log say what went wrong.
swift_start() {
    swift_folder=$1
    swift_pids=()
    local kind port until
    mkdir -p "$1/devices/d1"
    printf '[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = tests\n' \
        >"$1/swift.conf"
    for kind in account container object; do
        port=$(free_port)
        swift_server "$kind" "$port"
        swift_ring "$kind" "$port" >>"$1/rings.log" 2>&1 || return 1
        "swift-$kind-server" "$1/$kind.conf" -v >"$1/$kind.log" 2>&1 &
        swift_pids+=($!)
    done
    local cache
    cache=$(free_port)
    memcached -l 127.0.0.1 -p "$cache" -u "$(id -un)" >"$1/memcached.log" 2>&1 &
    swift_pids+=($!)
    port=$(free_port)
    swift_proxy "$port" "$cache"
    swift-proxy-server "$1/proxy.conf" -v >"$1/proxy.log" 2>&1 &
    swift_pids+=($!)
    until=$((SECONDS + 30))
    until swift_answers "$port"; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.2
    done
    export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=farm:ci AWS_SECRET_ACCESS_KEY=secretci
}

swift_stop() {
    kill "${swift_pids[@]}" 2>/dev/null
    wait "${swift_pids[@]}" 2>/dev/null
}
