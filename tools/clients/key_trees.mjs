// SPDX-License-Identifier: MIT
// Compares JSON with the types of a TypeScript library: which members are in the one and not in the other, and values
// of another kind. Members that may be left out may also be null (the library drops nulls).
import {createRequire} from 'node:module';

const require = createRequire(`${process.env.CLIENTS_NODE}/`);
const ts = require('typescript');

export function openTypes(file, mainClass) {
  const program = ts.createProgram([file], {strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'], types: [], skipLibCheck: true});
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const main = checker.getExportsOfModule(checker.getSymbolAtLocation(source)).find((s) => s.name === mainClass);
  const instance = checker.getDeclaredTypeOfSymbol(main);
  const typeOf = (symbol) => checker.getTypeOfSymbolAtLocation(symbol, source);
  const isPublic = (symbol) => !(ts.getCombinedModifierFlags(symbol.valueDeclaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected));
  const groups = checker.getPropertiesOfType(instance).filter((s) => isPublic(s) && ts.isPropertyDeclaration(s.valueDeclaration));
  const methodsOf = (group) => checker.getPropertiesOfType(typeOf(group)).filter((s) => s.valueDeclaration && ts.isMethodDeclaration(s.valueDeclaration) && isPublic(s));

  // What the promise of a method gives that is not generic.
  function answerOf(groupName, methodName) {
    const group = groups.find((s) => s.name === groupName);
    const method = group && methodsOf(group).find((s) => s.name === methodName);
    if (!method) return undefined;
    const signature = checker.getSignaturesOfType(typeOf(method), ts.SignatureKind.Call)[0];
    return checker.getTypeArguments(checker.getReturnTypeOfSignature(signature))[0];
  }
  const calls = new Map();  // of the generic ones: "group.method" -> {type, checker}
  // The generic methods are called once in a file that exists in memory alone, so that their defaults are put in.
  const generic = groups.flatMap((g) => methodsOf(g).filter((m) => checker.getSignaturesOfType(typeOf(m), ts.SignatureKind.Call)[0].typeParameters?.length).map((m) => [g.name, m.name]));
  if (generic.length > 0) {
    const caller = file.replace(/[^/]*$/, 'key_trees_calls.mts');
    const text = `import {${mainClass}} from './index.mjs';\ndeclare const it: ${mainClass};\n${generic.map(([g, m], i) => `export const a${i} = it.${g}.${m}({} as any);`).join('\n')}\n`;
    const host = ts.createCompilerHost(program.getCompilerOptions());
    const {getSourceFile, fileExists, readFile} = host;
    host.getSourceFile = (name, ...rest) => (name === caller ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true) : getSourceFile(name, ...rest));
    host.fileExists = (name) => name === caller || fileExists(name);
    host.readFile = (name) => (name === caller ? text : readFile(name));
    const second = ts.createProgram([caller, file], program.getCompilerOptions(), host);
    const secondChecker = second.getTypeChecker();
    const callerSource = second.getSourceFile(caller);
    secondChecker.getExportsOfModule(secondChecker.getSymbolAtLocation(callerSource)).forEach((symbol) => {
      const [g, m] = generic[Number(symbol.name.slice(1))];
      const promise = secondChecker.getTypeOfSymbolAtLocation(symbol, callerSource);
      calls.set(`${g}.${m}`, {type: secondChecker.getTypeArguments(promise)[0], checker: secondChecker});
    });
  }

  function walk(checker, value, type, path, ignored) {
    const result = {odd: [], walked: 1};
    const say = (words) => result.odd.push(`${path || '.'} ${words}`);
    const take = (other) => { result.odd.push(...other.odd); result.walked += other.walked; };
    if (value === null || value === undefined || type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return result;
    if (type.isUnion()) {
      // The member that fits best.
      const all = type.types.filter((t) => !(t.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined))).map((t) => walk(checker, value, t, path, ignored));
      return all.reduce((best, one) => (one.odd.length < best.odd.length ? one : best), all[0] ?? result);
    }
    if (typeof value !== 'object') {
      const kinds = {string: ts.TypeFlags.StringLike, number: ts.TypeFlags.NumberLike, boolean: ts.TypeFlags.BooleanLike};
      if (type.isIntersection() && type.types.some((t) => t.flags & kinds[typeof value])) return result;
      if (!(type.flags & kinds[typeof value])) say(`is a ${typeof value}, in the types ${checker.typeToString(type).slice(0, 40)}`);
      else if (type.isLiteral() && type.value !== value && value !== '') say(`is ${JSON.stringify(value)}, in the types ${JSON.stringify(type.value)}`);
      return result;
    }
    if (Array.isArray(value)) {
      if (!checker.isArrayType(type) && !checker.isTupleType(type)) { say('is a list'); return result; }
      const seen = new Set();
      for (const element of value) {
        const one = walk(checker, element, checker.getTypeArguments(type)[0], `${path}[]`, []);
        result.walked += one.walked;
        for (const words of one.odd) if (!seen.has(words)) { seen.add(words); result.odd.push(words); }
      }
      return result;
    }
    if (checker.isArrayType(type) || !(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection))) { say(`is an object, in the types ${checker.typeToString(type).slice(0, 40)}`); return result; }
    const index = checker.getIndexInfosOfType(type).find((info) => info.keyType.flags & ts.TypeFlags.StringLike)?.type;
    const members = new Map(checker.getPropertiesOfType(type).map((s) => [s.name, s]));
    for (const [name, part] of Object.entries(value)) {
      const member = members.get(name);
      if (member) take(walk(checker, part, checker.getTypeOfSymbol(member), `${path}.${name}`, []));
      else if (index) take(walk(checker, part, index, `${path}.*`, []));
      else if (!ignored.includes(name)) say(`has ${name}, which is not in the types`);
    }
    for (const [name, member] of members) {
      const isCountry = /^[A-Z]{2}$/.test(name);  // a type for each country, where the data has some
      if (!(name in value) && !(member.flags & ts.SymbolFlags.Optional) && !isCountry && !ignored.includes(name)) say(`lacks ${name}`);
    }
    return result;
  }

  return {
    methods: () => groups.flatMap((group) => methodsOf(group).map((m) => [group.name, m.name])),
    // Compares with what the method gives; `ignored`: members that may be there or not.
    compare(group, method, value, ignored = []) {
      const answer = calls.get(`${group}.${method}`) ?? {type: answerOf(group, method), checker};
      if (!answer.type) return {odd: [`there is no method ${group}.${method}`], walked: 0};
      return walk(answer.checker, value, answer.type, '', ignored);
    },
  };
}
