import { render } from 'preact'
import './style/page.css'
import { useWords } from './words'

function Page() {
  const say = useWords()
  return <main>{say('title')}</main>
}

const place = document.getElementById('page')
if (place) render(<Page />, place)
