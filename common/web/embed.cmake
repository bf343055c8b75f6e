# SPDX-License-Identifier: GPL-2.0-or-later
# Writes OUT, a C file with a table of `struct web_file` (common/web.h).
#   cmake -DOUT=FILE -DTABLE=NAME -DFOLDER=DIR [-DUNDER=PATH] -P embed.cmake
#       The page in DIR: index.html at "/", its .js, .css and .svg files at "/NAME"; or, with
#       UNDER, at "UNDER/HASH/NAME", HASH being that of them all, so that they may be cached for
#       ever: index.html has @page@ for "UNDER/HASH".
#   cmake -DOUT=FILE -DTABLE=NAME [-DNPM=COMMAND] -P embed.cmake
#       The players of package.json, each at "/FILE" of its own, which NPM brings into a folder
#       beside OUT. A machine without npm, or npm without a network, gets an empty table, and
#       OUT.without_players, for which the next configuration tries again.
cmake_minimum_required(VERSION 3.25)
set(here ${CMAKE_CURRENT_LIST_DIR})
set(rows "")
set(texts "")

# add(PATH TYPE FOR_EVER TEXT)
function(add path type for_ever text)
    string(MAKE_C_IDENTIFIER file${path} name)
    string(SHA256 hash "${text}")
    string(SUBSTRING ${hash} 0 16 hash)
    string(HEX "${text}" hex)
    string(LENGTH "${hex}" digits)
    math(EXPR size "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
    set(rows "${rows}    {\"${path}\", \"${type}\", \"\\\"${hash}\\\"\", ${for_ever}, ${name}, ${size}},\n"
        PARENT_SCOPE)
    set(texts "${texts}static const char ${name}[] = \"${bytes}\";\n" PARENT_SCOPE)
endfunction()

# Sets `out` to the folder of packages, empty where they cannot be had.
function(fetch_players out)
    set(${out} "" PARENT_SCOPE)
    file(REMOVE ${OUT}.without_players)
    if(NOT NPM)
        return()
    endif()
    get_filename_component(folder ${OUT} DIRECTORY)
    file(COPY ${here}/package.json ${here}/package-lock.json DESTINATION ${folder})
    execute_process(
        COMMAND ${NPM} ci --ignore-scripts --prefer-offline --no-audit --no-fund --fetch-retries=1
                --fetch-retry-mintimeout=1000 --fetch-timeout=20000
        WORKING_DIRECTORY ${folder}
        OUTPUT_FILE ${OUT}.npm.log ERROR_FILE ${OUT}.npm.log
        RESULT_VARIABLE result TIMEOUT 120)
    if(NOT result EQUAL 0)
        message("The pages are built without players: npm could not bring them (${OUT}.npm.log)")
        file(TOUCH ${OUT}.without_players)
        return()
    endif()
    set(${out} ${folder}/node_modules PARENT_SCOPE)
endfunction()

set(players
    hls.js/dist/hls.min.mjs
    shaka-player/dist/shaka-player.compiled-es2021.js
    dashjs/dist/modern/esm/dash.all.min.js)

set(type_js text/javascript)
set(type_css text/css)
set(type_svg image/svg+xml)
if(FOLDER)
    set(page "")
    set(for_ever false)
    file(GLOB files ${FOLDER}/*.js ${FOLDER}/*.css ${FOLDER}/*.svg)
    list(SORT files)
    if(UNDER)
        set(all "")
        foreach(file ${files})
            file(SHA256 ${file} hash)
            string(APPEND all ${hash})
        endforeach()
        string(SHA256 hash "${all}")
        string(SUBSTRING ${hash} 0 16 hash)
        set(page ${UNDER}/${hash})
        set(for_ever true)
    endif()
    file(READ ${FOLDER}/index.html text)
    string(REPLACE "@page@" "${page}" text "${text}")
    add(/ "text/html; charset=utf-8" false "${text}")
    foreach(file ${files})
        get_filename_component(name ${file} NAME)
        get_filename_component(ending ${file} LAST_EXT)
        string(SUBSTRING ${ending} 1 -1 ending)
        file(READ ${file} text)
        add(${page}/${name} "${type_${ending}}; charset=utf-8" ${for_ever} "${text}")
    endforeach()
else()
    fetch_players(packages)
    if(packages)
        foreach(file ${players})
            get_filename_component(name ${file} NAME)
            file(READ ${packages}/${file} text)
            # The map is not served: browsers' tools would ask for it in vain.
            string(REGEX REPLACE "\n//# sourceMappingURL=[^\n]*" "" text "${text}")
            add(/${name} "text/javascript; charset=utf-8" false "${text}")
        endforeach()
    endif()
endif()
file(WRITE ${OUT} "/* Made by embed.cmake. */
#include \"common/web.h\"

${texts}
const struct web_file ${TABLE}[] = {
${rows}    {0},
};
")
