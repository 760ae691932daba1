//! Every plan undoes what it did.

use std::collections::HashSet;

use super::*;

/// Draws of each plan.
const DRAWS: u64 = 200;

fn scenes() -> [Scene; 3] {
    let three = Scene { members: vec![0, 1, 2], spares: vec![3], leader: 1, long: false };
    let five = Scene { members: (0..5).collect(), spares: vec![], leader: 4, long: false };
    let long = Scene { long: true, ..three.clone() };
    [three, five, long]
}

fn each_plan(check: impl Fn(&Nemesis, &Scene, &Plan)) {
    for nemesis in ALL {
        for scene in scenes() {
            for seed in 0..DRAWS {
                check(&nemesis, &scene, &(nemesis.plan)(&scene, &mut Dice::of(seed)));
            }
        }
    }
}

/// What is still wrong after the acts.
fn left_wrong(plan: &Plan) -> HashSet<String> {
    let mut wrong = HashSet::new();
    for (_, act) in &plan.acts {
        let down = |node: &usize| format!("{node} is down");
        let paused = |node: &usize| format!("{node} stands still");
        match act {
            Act::Kill(node) => drop(wrong.insert(down(node))),
            Act::CutPower(nodes) => wrong.extend(nodes.iter().map(down)),
            Act::Wipe(node) if wrong.remove(&format!("{node} is removed")) => {}
            Act::Wipe(node) => drop(wrong.insert(down(node))),
            Act::Remove(node) => drop(wrong.insert(format!("{node} is removed"))),
            Act::Start(node) => drop(wrong.remove(&down(node))),
            Act::Pause(node) => drop(wrong.insert(paused(node))),
            Act::Resume(node) => drop(wrong.remove(&paused(node))),
            Act::Deafen(deaf) => drop(wrong.insert(format!("{deaf:?}"))),
            Act::Restore(deaf) => drop(wrong.remove(&format!("{deaf:?}"))),
            Act::Clock(node, to) if *to == Default::default() => {
                wrong.remove(&format!("{node} is wrong"));
            }
            Act::Clock(node, _) => drop(wrong.insert(format!("{node} is wrong"))),
            Act::Fill(node) => drop(wrong.insert(format!("{node} is full"))),
            Act::Free(node) => drop(wrong.remove(&format!("{node} is full"))),
            Act::AwaitStop(_) | Act::AwaitReady(_) | Act::AwaitVoters => {}
        }
    }
    wrong
}

#[test]
fn every_plan_undoes_what_it_did() {
    each_plan(|nemesis, _, plan| {
        assert_eq!(left_wrong(plan), HashSet::new(), "{}: {plan:?}", nemesis.name);
    });
}

#[test]
fn acts_come_in_the_order_of_their_time() {
    each_plan(|nemesis, _, plan| {
        assert!(plan.acts.is_sorted_by_key(|(at_ms, _)| *at_ms), "{}: {plan:?}", nemesis.name);
    });
}

#[test]
fn a_short_stroke_is_over_within_seconds() {
    each_plan(|nemesis, scene, plan| {
        let last_ms = plan.acts.last().map_or(0, |(at_ms, _)| *at_ms);
        assert!(scene.long || last_ms <= 6_000, "{}: {last_ms}", nemesis.name);
    });
}

#[test]
fn two_plans_at_once_keep_what_each_does_in_order() {
    let [_, five, _] = scenes();
    for seed in 0..DRAWS {
        let mut dice = Dice::of(seed);
        let (one, other) = (dice.pick(&ALL).plan, dice.pick(&ALL).plan);
        let plan = one(&five, &mut dice).with(other(&five, &mut dice));
        assert!(plan.acts.is_sorted_by_key(|(at_ms, _)| *at_ms), "{plan:?}");
    }
}

#[test]
fn every_file_of_this_folder_is_on_the_list() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/nemesis");
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let listed = ALL.iter().any(|nemesis| nemesis.family() == name);
        assert!(listed || ["mod", "tests"].contains(&name), "{name}");
    }
}
