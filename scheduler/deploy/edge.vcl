# SPDX-License-Identifier: GPL-2.0-or-later
# Varnish as an edge of a farm, which caches what the output's web server or bucket gives: for
# Varnish 7.1 or newer with xkey (Debian: varnish and varnish-modules; varnishd -f edge.vcl). In the
# scheduler's file of endpoints: `{name: NAME, driver: pull, url: "https://..."}`; in the workers'
# file endpoint_secrets: `NAME: {bearer: "CHANGE-ME"}`. To change: backend, workers, that secret.
vcl 4.1;
import xkey;

backend origin { .host = "origin.example"; .port = "80"; }
acl workers { "127.0.0.1"; "10.0.0.0"/8; }

sub vcl_recv {
    if (req.method == "PURGE" || req.method == "WARM") {
        if (client.ip !~ workers || req.http.Authorization != "Bearer CHANGE-ME") {
            return (synth(403));
        }
        unset req.http.Authorization; # it is this cache's, and no matter of the origin
        if (req.method == "WARM") { # fetched anew, while players get what is there
            set req.method = "GET";
            set req.hash_always_miss = true;
            return (hash);
        }
        if (req.http.xkey-purge) { # all of a title
            set req.http.n-gone = xkey.purge(req.http.xkey-purge);
            return (synth(200, "purged " + req.http.n-gone));
        }
        return (purge);
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }
    unset req.http.Cookie;
    unset req.http.Authorization;
    return (hash);
}

sub vcl_hash { # by whatever name of this host players and workers come
    hash_data(req.url);
    return (lookup);
}

sub vcl_backend_response {
    set beresp.http.xkey = beresp.http.x-amz-meta-surrogate-key;
    set beresp.grace = 0s;
    if (beresp.status >= 400) {
        set beresp.ttl = 1s;
    } else if (beresp.http.Cache-Control ~ "immutable") {
        set beresp.ttl = 30d;
    } else { # stable names: for less than the scheduler's keep_versions_ms
        set beresp.ttl = 2s;
    }
    return (deliver);
}

sub vcl_deliver {
    set resp.http.X-Cache = obj.hits;
    set resp.http.Access-Control-Allow-Origin = "*"; # pages of other sites play from here
}
