# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# An S3 store for tests: Ceph's gateway over one storage daemon whose disk is memory.
# Use, after lib.sh: . ceph.sh; ceph_start FOLDER; ...; ceph_stop. Sets the AWS_ variables.

# No authentication inside, no replicas. Both addresses are named, else the storage daemon
# listens everywhere; without the crc mode the gateway alone wants a secure one.
ceph_configure() {
    cat >"$1/ceph.conf" <<EOF
[global]
fsid = $2
mon host = v2:127.0.0.1:$3
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon service mode = crc
ms mon cluster mode = crc
osd objectstore = memstore
memstore device bytes = 2147483648
mon allow pool size one = true
mon max pg per osd = 1000
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon data avail warn = 1
mon data avail crit = 1
osd crush chooseleaf type = 0
osd class load list = *
osd class default list = *
run dir = $1/run
log file = $1/run/\$name.log
admin socket = $1/run/\$name.asok
pid file = $1/run/\$name.pid
mon data = $1/mon
osd data = $1/osd0
[client.rgw.a]
ms mon client mode = crc
rgw frontends = beast endpoint=127.0.0.1:$4
rgw dns name = s3.test
rgw thread pool size = 32
EOF
}

ceph_is_up() {
    ceph -c "$ceph_folder/ceph.conf" osd stat 2>/dev/null | grep -q "1 up"
}

# ceph_start FOLDER: about 15 s. FOLDER/start.log says what went wrong.
ceph_start() {
    ceph_folder=$1
    local conf=$1/ceph.conf id monitor port disk
    local -a user=()
    if [ "$(id -u)" = 0 ]; then
        user=(--setuser root --setgroup root)
    fi
    mkdir -p "$1/mon" "$1/osd0" "$1/run"
    id=$(cat /proc/sys/kernel/random/uuid)
    disk=$(cat /proc/sys/kernel/random/uuid)
    monitor=$(free_port)
    port=$(free_port)
    ceph_configure "$1" "$id" "$monitor" "$port"
    {
        monmaptool --create --addv a "[v2:127.0.0.1:$monitor]" --fsid "$id" "$1/monmap" --clobber &&
            ceph-mon -c "$conf" --mkfs -i a --monmap "$1/monmap" &&
            ceph-mon -c "$conf" -i a "${user[@]}" &&
            ceph -c "$conf" osd new "$disk" &&
            ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$disk" &&
            ceph-osd -c "$conf" -i 0 &&
            within 60 ceph_is_up &&
            radosgw-admin -c "$conf" user create --uid=farm --display-name=farm \
                --access-key=FARMACCESS --secret=farm/secret+key &&
            radosgw -c "$conf" -n client.rgw.a "${user[@]}" &&
            within 60 curl -s -o "$1/answer" "http://127.0.0.1:$port/"
    } >"$1/start.log" 2>&1 || return 1
    export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-east-1
    export AWS_ACCESS_KEY_ID=FARMACCESS AWS_SECRET_ACCESS_KEY=farm/secret+key
}

# ceph_user NAME: another account, EDGEACCESS.
ceph_user() {
    radosgw-admin -c "$ceph_folder/ceph.conf" user create --uid="$1" --display-name="$1" \
        --access-key=EDGEACCESS --secret=edge/secret+key >>"$ceph_folder/start.log" 2>&1
}

# In the order that ends each at once; the storage daemon outlives its monitor.
ceph_stop() {
    local name pid
    for name in client.rgw.a osd.0 mon.a; do
        pid=$(cat "$ceph_folder/run/$name.pid" 2>/dev/null) && kill -KILL "$pid"
    done 2>/dev/null
}
