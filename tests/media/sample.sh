#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the sample clip: 20 s of 1280x720 at 24 frames a second, seven shots with
# hard cuts, each hard on an encoder in its own way; frame number and timecode
# burnt in; soft music with a beep at each cut. The same ffmpeg gives the same bytes.
# REELFARM_SAMPLE_SHOTS: the first so many alone.
#   tests/media/sample.sh OUT.mp4
set -euo pipefail

if [ $# != 1 ]; then
    echo "usage: tests/media/sample.sh OUT.mp4" >&2
    exit 2
fi
out=$1
fonts=/usr/share/fonts/truetype/dejavu
if [ ! -f $fonts/DejaVuSans-Bold.ttf ]; then
    echo "sample.sh: no font $fonts/DejaVuSans-Bold.ttf;" \
        "install the package fonts-dejavu-core" >&2
    exit 1
fi

# Shots: frames, title, what they are hard on. Uneven, so that cuts fall inside GOPs.
shots=(
    "74|Dusk|slow pans in depth, fine grain"
    "67|Mandelbrot|a zoom into ever more detail"
    "70|Colony|thousands of small moving edges"
    "63|Floor|perspective, thin lines far away"
    "76|Aurora|dark gradients under film grain"
    "59|Credits|small print, rotation, saturated colour"
    "71|Silk|smooth colour with nothing to hide bands"
)
shots=("${shots[@]:0:${REELFARM_SAMPLE_SHOTS:-7}}")
rate=24
bt709=scale=out_color_matrix=bt709:out_range=tv

# still WIDTHxHEIGHT RED GREEN BLUE ALPHA FORMAT: one picture drawn by geq, held.
still() {
    echo "color=s=$1:r=$rate:d=0.04,format=gbrap,geq=r='$2':g='$3':b='$4':a='$5'," \
        "$bt709,format=$6,loop=-1:1,setpts=N/$rate/TB"
}

# ridge WIDTHxHEIGHT ROUGHNESS SEED RED GREEN BLUE: hills of a colour, clear above.
ridge() {
    local top="($2*(2-sin(X/173+$3)-0.5*sin(X/61+2*$3)-0.25*sin(X/23+3*$3)"
    top+="-0.12*sin(X/9.1+5*$3)-0.06*sin(X/4.3+7*$3)))"
    still "$1" "$4+Y*0.04" "$5+Y*0.04" "$6+Y*0.03" "255*clip(Y-$top,0,1)" yuva420p
}

shot_0() {
    local haze="exp(-((X-420)^2+(Y-215)^2)/13000)" sun="clip(32-hypot(X-420,Y-215),0,1)"
    cat <<END
$(still 640x360 "min(255,38+Y*0.6+150*$haze+90*$sun)" "min(255,30+Y*0.26+85*$haze+130*$sun)" \
        "min(255,98-Y*0.06+20*$haze+60*$sun)" 255 yuv444p),scale=1280:720,format=yuv420p[sky];
$(ridge 1400x320 42 1.3 100 62 92)[far];
$(ridge 1600x246 46 4.1 66 44 78)[mid];
$(ridge 1960x168 52 2.2 30 30 44)[near];
[sky][far]overlay=x='-n*1.5':y=H-h[sky1];
[sky1][mid]overlay=x='-n*4':y=H-h[sky2];
[sky2][near]overlay=x='-n*9':y=H-h,noise=all_seed=7:c0s=7:c0f=t+u[shot0];
END
}

shot_1() {
    cat <<END
mandelbrot=s=800x450:r=$rate:maxiter=280:outer=normalized_iteration_count:inner=black:
start_x=-0.743643887037151:start_y=0.13182590420533:start_scale=0.02:end_scale=0.00003:end_pts=67,
$bt709:w=1280:h=720:flags=bicubic,format=yuv444p,pseudocolor=preset=inferno,format=yuv420p[shot1];
END
}

shot_2() {
    cat <<END
life=s=320x180:r=$rate:mold=24:random_fill_ratio=0.34:random_seed=11:
life_color=0xfff0b0:death_color=0x803010:mold_color=0x081430,
trim=start_frame=16,setpts=N/$rate/TB,$bt709:w=1280:h=720:flags=neighbor,format=yuv420p[shot2];
END
}

shot_3() {
    local odd="mod(floor(X/80)+floor(Y/80),2)" fog="exp(-Y/260)"
    cat <<END
$(still 1280x300 "70+Y*0.5" "120+Y*0.33" "200+Y*0.12" 255 yuv420p)[sky3];
$(still 1280x1280 "40+190*$odd" "48+170*$odd" "84+110*$odd" 255 yuv420p),
scroll=v=-0.008:h=0.002,
perspective=x0=420:y0=0:x1=860:y1=0:x2=-1900:y2=1280:x3=3180:y3=1280:sense=destination,
scale=1280:420[floor];
$(still 1280x420 220 219 236 "255*$fog" yuva420p)[fog];
[floor][fog]overlay[floor3];
[sky3][floor3]vstack[shot3];
END
}

shot_4() {
    local near="(Y-46-9*sin(X/21+T*0.9)-4*sin(X/7-T*1.7))"
    local far="(Y-30-7*sin(X/15-T*0.7)-3*sin(X/5.5+T*1.3))"
    local glow="exp(-abs($near)/(4+13*lt($near,0)))" veil="exp(-abs($far)/(3+11*lt($far,0)))"
    # geq's own random() differs with the number of threads.
    local star="232*gt(mod(abs(sin(X*12.9898+Y*78.233)*43758.5453),1),0.9985)"
    cat <<END
$(still 640x360 "4+$star" "6+$star" "18+$star" 255 gbrp),scale=1280:720:flags=neighbor[stars];
$(ridge 1280x150 30 3.4 2 4 10)[hill];
color=s=160x90:r=$rate,format=gbrp,geq=r='20*$glow+90*$veil':g='190*$glow+24*$veil':
b='90*$glow+110*$veil',scale=1280:720:flags=bicubic[glow];
[stars][glow]blend=all_mode=screen,$bt709,format=yuv420p[night];
[night][hill]overlay=y=H-h,noise=all_seed=3:c0s=14:c0f=t+u[shot4];
END
}

credits="Introducing|Intra
|Predicted
|Bidirectional
Directed by|Frame Zero
Starring|Motion Vector
Camera|Pan and Zoom
Editing|Hard Cut
Grain|Noise, seed 7
Colour|BT.709
Music|Sine and Cosine
Beeps|1 kHz
Transport|Moof and Mdat
Location|Complex Plane
Catering|Rate Control
Stunts|Deblocking
Stills|Nobody moved
No pixels|were harmed"

shot_5() {
    local text mono=$fonts/DejaVuSansMono.ttf
    text=$(awk -F'|' '{ printf "%11s   %s\n", $1, $2 }' <<<"$credits")
    cat <<END
testsrc2=s=480x360:r=$rate,$bt709,format=yuva420p,
rotate=a='n/19':ow=600:oh=600:c=0x00000000[card];
color=0x14141c:s=1280x720:r=$rate,
drawtext=fontfile=$mono:fontsize=28:fontcolor=0xe8e0d0:x=556:y='420-n*9':line_spacing=22:
text='$text',
drawtext=fontfile=$mono:fontsize=12:fontcolor=0x9fb0c0:x=1064:y='440-n*3':text='$text'[page];
[page][card]overlay=x='-40+n/2':y='20-n/2',format=yuv420p[shot5];
END
}

shot_6() {
    cat <<END
gradients=s=640x360:r=$rate:seed=9:speed=0.03:type=spiral:nb_colors=5:
c0=0x2b1055:c1=0x7597de:c2=0xf7b2ad:c3=0x6a3093:c4=0x20bdff,
$bt709:w=1280:h=720:flags=bicubic,format=yuv420p[shot6];
END
}

# One graph: every shot cut to its length, joined, then the words on top.
graph="" joined="" words="" cuts="" first=0
for i in "${!shots[@]}"; do
    IFS='|' read -r frames title about <<<"${shots[i]}"
    end=$((first + frames))
    graph+="$("shot_$i")[shot$i]trim=end_frame=$frames,setpts=N/$rate/TB,setsar=1[cut$i];"
    joined+="[cut$i]"
    while IFS='|' read -r face size y text; do
        words+=",drawtext=fontfile=$fonts/$face.ttf:text='$text':fontsize=$size:fontcolor=white:"
        words+="box=1:boxcolor=black@0.5:boxborderw=10:x=48:y=$y:"
        words+="enable='between(n,$first,$((end - 1)))'"
    done <<END
DejaVuSans-Bold|44|580|$title
DejaVuSans|24|650|$about
END
    cuts+="+between(t,$first/$rate,$first/$rate+0.09)"
    first=$end
done
counter="fontfile=$fonts/DejaVuSansMono-Bold.ttf:fontcolor=white:box=1:boxborderw=10:"
counter+="boxcolor=black@0.6"
words+=",drawtext=$counter:fontsize=44:x=w-tw-40:y=40:text='%{eif\\:n\\:d\\:4}'"
words+=",drawtext=$counter:fontsize=22:x=w-tw-40:y=108:timecode='00\\:00\\:00\\:00':rate=$rate"

# Music: plucked notes over a chord that changes every 4 s. The beep covers it.
chord="st(0,mod(floor(t/4),4));st(1,110*pow(2,(eq(ld(0),1)*-4+eq(ld(0),2)*3+eq(ld(0),3)*-2)/12))"
pad="0.035*(sin(2*PI*ld(1)*t+SIDE)+0.7*sin(3*PI*ld(1)*t)+0.5*sin(4*PI*ld(1)*1.003*t+SIDE))"
step="st(2,mod(floor(t*6)*5,7));st(3,ld(1)*4*pow(2,(12*gt(ld(2),4)+7*mod(ld(2),2))/12))"
pluck="0.09*exp(-7*mod(t,1/6))*sin(2*PI*ld(3)*t)*(0.6+0.4*sin(t*1.3+SIDE))"
beep="(0${cuts})"
sound="$chord;$step;if($beep,0.4*sin(2*PI*1000*t),$pad+$pluck)"
sound="aevalsrc='${sound//SIDE/0}|${sound//SIDE/1.6}':s=48000:d=$((first * 1000 / rate))ms"

mkdir -p "$(dirname "$out")"
ffmpeg -nostdin -v error -y \
    -filter_complex "$graph${joined}concat=n=${#shots[@]}${words}[v]" \
    -f lavfi -i "$sound" \
    -map '[v]' -map 0:a -c:v libx264 -preset veryfast -crf 21 -bf 3 -threads 2 -g 240 \
    -color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709 \
    -c:a aac -b:a 160k -map_metadata -1 -fflags +bitexact -flags +bitexact \
    -movflags +faststart -f mp4 "$out.part"
mv "$out.part" "$out"
