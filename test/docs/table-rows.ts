/** Cells of the table that stands between `<!-- name: … -->` and `<!-- end of name -->`, without its head. */
export function tableRows(page: string, name: string): readonly (readonly string[])[] {
  const [, table = ''] = new RegExp(`<!-- ${name}:.*?-->(.*?)<!-- end of ${name} -->`, 's').exec(page) ?? [];
  const lines = table.trim().split('\n').slice(2);
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
