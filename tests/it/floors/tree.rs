//! The modules of a package, and where a path leads once re-exports are followed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path as FilePath;

use super::code::{Path, paths};
use super::rust_files;

/// A module's path, from the crate's root.
pub type Module = Vec<String>;

pub struct Tree {
    modules: BTreeMap<Module, Vec<Path>>,
}

/// An import, between the two modules that contain the importing and the defining file and are siblings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    /// The module that has both.
    pub within: Module,
    pub from: String,
    pub to: String,
    /// The importing module.
    pub by: String,
}

impl Tree {
    /// The files below a folder, but for those of a package inside it.
    pub fn read(source: &FilePath) -> Self {
        let mut modules: BTreeMap<Module, Vec<Path>> = BTreeMap::new();
        for file in rust_files(source).into_iter().filter(|file| !is_of_a_package(file, source)) {
            let module = module_of(file.strip_prefix(source).unwrap());
            if !module.iter().any(|part| matches!(part.as_str(), "tests" | "test_support")) {
                let paths = paths(&fs::read_to_string(&file).unwrap());
                modules.entry(module).or_default().extend(paths);
            }
        }
        Self { modules }
    }

    pub fn of(files: &[(&str, &str)]) -> Self {
        let modules = files.iter().map(|(name, text)| {
            let parts = name.split("::").filter(|part| !part.is_empty());
            (parts.map(str::to_owned).collect(), paths(text))
        });
        Self { modules: modules.collect() }
    }

    /// Every import between two siblings of some module. Imports from a module's own file and from those inside it are
    /// not among them: a file and its parts are one.
    pub fn arrows(&self) -> BTreeSet<Arrow> {
        let mut arrows = BTreeSet::new();
        for (module, paths) in &self.modules {
            for path in paths {
                let Some(absolute) = self.absolute(module, &path.segments) else { continue };
                let target = self.defining(&absolute, 0);
                let common = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
                if let (Some(from), Some(to)) = (module.get(common), target.get(common)) {
                    arrows.insert(Arrow {
                        within: module[..common].to_vec(),
                        from: from.clone(),
                        to: to.clone(),
                        by: module.join("::"),
                    });
                }
            }
        }
        arrows
    }

    /// A path from the crate's root; `None` for one of another crate.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Module> {
        let first = path.first()?.as_str();
        let (base, rest) = match first {
            "crate" => (&module[..0], &path[1..]),
            "self" => (module, &path[1..]),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                (&module[..module.len().checked_sub(up)?], &path[up..])
            }
            _ => {
                let child: Module = module.iter().cloned().chain([first.to_owned()]).collect();
                self.modules.contains_key(&child).then_some(())?;
                (module, path)
            }
        };
        Some(base.iter().chain(rest).cloned().collect())
    }

    /// The module that defines what a path names.
    fn defining(&self, path: &[String], depth: usize) -> Module {
        let known = (0..=path.len()).rev().find(|end| self.modules.contains_key(&path[..*end]));
        let end = known.unwrap_or(0);
        let (module, rest) = path.split_at(end);
        let named =
            |import: &&Path| import.name.as_ref().is_some_and(|name| rest.first() == Some(name));
        let imported = self.modules.get(module).and_then(|paths| paths.iter().find(named));
        let next = imported.and_then(|import| self.absolute(module, &import.segments));
        match next {
            Some(next) if depth < 8 => {
                let next: Module = next.into_iter().chain(rest.iter().skip(1).cloned()).collect();
                self.defining(&next, depth + 1)
            }
            _ => module.to_vec(),
        }
    }
}

/// The sets of siblings that import each other, in a ring or directly: `db: address, engine`.
pub fn circles(arrows: &BTreeSet<Arrow>) -> BTreeSet<String> {
    let mut edges: BTreeMap<(&Module, &str), BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows {
        edges.entry((&arrow.within, &arrow.from)).or_default().insert(&arrow.to);
    }
    let reached = |within: &Module, from: &str| -> BTreeSet<String> {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(at) = next.pop() {
            for to in edges.get(&(within, at.as_str())).into_iter().flatten() {
                if seen.insert((*to).to_owned()) {
                    next.push((*to).to_owned());
                }
            }
        }
        seen
    };
    let mut circles = BTreeSet::new();
    for (within, from) in edges.keys() {
        let there = reached(within, from);
        if there.contains(*from) {
            let ring = there.iter().filter(|to| reached(within, to).contains(*from));
            let ring: Vec<_> = ring.map(String::as_str).collect();
            circles.insert(format!("{}: {}", within.join("::"), ring.join(", ")));
        }
    }
    circles
}

fn is_of_a_package(file: &FilePath, source: &FilePath) -> bool {
    let folders = file.ancestors().skip(1).take_while(|folder| *folder != source);
    folders.into_iter().any(|folder| folder.join("Cargo.toml").exists())
}

fn module_of(file: &FilePath) -> Module {
    let parts = file.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned());
    let mut module: Module = parts.collect();
    if module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib")) {
        module.pop();
    }
    module
}
